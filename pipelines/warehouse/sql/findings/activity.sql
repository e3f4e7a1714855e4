-- activity: requests of one campaign's accounts, hour by hour.
SELECT hour, n_requests, n_accounts FROM activity WHERE campaign_id = $campaign_id ORDER BY hour
