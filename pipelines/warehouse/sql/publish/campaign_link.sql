-- campaign_link: what held every campaign together, night by night. Reads night.campaign_link.
SELECT * FROM night.campaign_link ORDER BY day, campaign_id, strength DESC, kind
