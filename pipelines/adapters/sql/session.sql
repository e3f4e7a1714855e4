-- session: what one reader's connection needs besides the casts. Takes nothing.
SET TimeZone = 'UTC';
