-- evaluation/activity: what each account sent on each night, flagged or not.
-- Reads night.account_day, which outlives request rows. Called by evaluation.workspace.
SELECT account_id, day, n_requests
FROM night.account_day
ORDER BY account_id, day
