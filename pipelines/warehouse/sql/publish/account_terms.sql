-- account_terms: use case and approval of flagged accounts. Reads night.flagged_account, core.account.
SELECT account_id, use_case, verified, approved_use, approved_until
FROM core.account
WHERE account_id IN (SELECT account_id FROM night.flagged_account)
ORDER BY account_id
