-- account_activity: every night of one account that is still kept, flagged on it or not.
SELECT day, org_id, created_at, plan, country, n_requests, output_tokens, active_hours, models
FROM account_activity WHERE account_id = $account_id ORDER BY day
