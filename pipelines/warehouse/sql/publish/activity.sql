-- activity: requests per hour of every account that was ever part of a campaign, on the nights kept.
-- Reads night.flagged_account, core.request.
WITH member AS (
    SELECT DISTINCT campaign_id, account_id FROM night.flagged_account WHERE campaign_id IS NOT NULL
)
SELECT member.campaign_id, date_trunc('hour', request.sent_at) AS hour,
       count(*) AS n_requests, count(DISTINCT request.account_id) AS n_accounts
FROM member JOIN core.request AS request USING (account_id)
GROUP BY ALL
ORDER BY member.campaign_id, hour
