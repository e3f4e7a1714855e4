-- evaluation/activity: what each account that matters sent on each night, flagged or not.
-- Reads night.account_day, which outlives request rows, and `wanted`, the accounts that are labelled or were
-- flagged. Called by evaluation.workspace.
SELECT account_id, day, n_requests
FROM night.account_day SEMI JOIN wanted USING (account_id)
ORDER BY account_id, day
