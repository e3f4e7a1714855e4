-- session: what one reader's connection needs besides the casts. Takes nothing.
SET TimeZone = 'UTC';

-- Characters that show nothing: ASCII blanks and NUL, no-break, narrow and ideographic spaces,
-- zero-width characters, byte order mark. A variable, because a macro would be planned anew at each use.
SET VARIABLE blank_characters = concat(chr(0), chr(9), chr(10), chr(11), chr(12), chr(13), ' ',
    chr(133), chr(160), chr(5760), chr(8192), chr(8193), chr(8194), chr(8195), chr(8196), chr(8197),
    chr(8198), chr(8199), chr(8200), chr(8201), chr(8202), chr(8203), chr(8204), chr(8205), chr(8232),
    chr(8233), chr(8239), chr(8287), chr(8288), chr(12288), chr(65279));
