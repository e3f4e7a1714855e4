-- findings/flagged_activity: what each account that was ever flagged sent on each night.
-- Reads account_activity of the published snapshot. Called by findings.flagged_activity.
SELECT account_id, day, n_requests
FROM account_activity
ORDER BY account_id, day
