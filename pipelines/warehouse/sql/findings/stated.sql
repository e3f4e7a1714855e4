-- findings/stated: how sure each campaign was said to be, on every night.
-- Reads campaign of the published snapshot. Called by findings.stated.
SELECT day, campaign_id, p_value, score, confidence
FROM campaign
ORDER BY day, campaign_id
