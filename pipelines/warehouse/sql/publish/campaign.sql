-- campaign: every night of every campaign, as it was flagged. Reads night.campaign.
SELECT * FROM night.campaign ORDER BY day, campaign_id
