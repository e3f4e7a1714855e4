-- campaign_event: what became of every campaign, night by night. Reads night.campaign_event.
SELECT * FROM night.campaign_event ORDER BY day, campaign_id, event, other_id NULLS FIRST
