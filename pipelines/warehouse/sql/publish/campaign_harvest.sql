-- campaign_harvest: what every campaign asked for, night by night. Reads night.campaign_harvest.
SELECT * FROM night.campaign_harvest ORDER BY day, campaign_id, capability, technique
