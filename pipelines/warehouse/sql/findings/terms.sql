-- terms: use case and approval of flagged accounts.
SELECT account_id, use_case, verified, approved_use, approved_until FROM account_terms ORDER BY account_id
