-- campaign_nights: every night of one campaign with its evidence, latest first.
SELECT * FROM campaign WHERE campaign_id = $campaign_id ORDER BY day DESC
