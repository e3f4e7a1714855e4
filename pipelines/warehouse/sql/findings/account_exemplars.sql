-- account_exemplars: redacted texts of one account, of its latest flagged night that has any.
SELECT day, family_id, request_id, text FROM account_exemplar
WHERE account_id = $account_id
ORDER BY family_id NULLS LAST, request_id, text
