-- account_nights: every night on which one account was flagged, latest first.
SELECT * FROM flagged_account WHERE account_id = $account_id ORDER BY day DESC, campaign_id NULLS FIRST
