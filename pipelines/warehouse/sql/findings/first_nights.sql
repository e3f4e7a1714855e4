-- findings/first_nights: the first night on which each account that was ever flagged sent anything.
-- Reads account_activity of the published snapshot. Called by findings.first_nights.
SELECT account_id, min(day) AS day
FROM account_activity
GROUP BY account_id
ORDER BY account_id
