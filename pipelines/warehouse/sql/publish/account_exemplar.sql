-- account_exemplar: up to five redacted texts of each flagged account, of the latest night that has any.
-- Reads night.exemplar, night.flagged_account.
SELECT account_id, day, family_id, request_id, text
FROM night.exemplar
WHERE account_id IN (SELECT account_id FROM night.flagged_account)
QUALIFY rank() OVER (PARTITION BY account_id ORDER BY day DESC) = 1
    AND row_number() OVER (PARTITION BY account_id ORDER BY day DESC, family_id NULLS LAST, request_id, text) <= 5
ORDER BY account_id, day, family_id NULLS LAST, request_id, text
