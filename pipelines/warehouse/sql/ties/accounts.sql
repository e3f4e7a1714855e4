-- accounts: who used the families in question, as numbers that are equal for equal ids. Reads the registered Arrow
-- table tied_family (family, family_id, seen_on).
SELECT family, dense_rank() OVER (ORDER BY account_id) - 1 AS account
FROM night.family_account AS used JOIN tied_family AS known ON used.family_id = known.family_id AND used.day = seen_on
ORDER BY family, account
