-- slots: the slot shingles of the families in question. Reads the registered Arrow table tied_family (family,
-- family_id, seen_on).
SELECT family, shingle, n_accounts::BIGINT AS n_accounts
FROM night.family_slot AS slot JOIN tied_family AS known ON slot.family_id = known.family_id AND slot.day = seen_on
ORDER BY family, shingle
