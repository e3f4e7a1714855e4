-- harvest: what one campaign asked for on its latest night, most requests first.
SELECT day, capability, technique, n_requests, output_tokens
FROM campaign_harvest
WHERE campaign_id = $campaign_id
  AND day = (SELECT max(day) FROM campaign WHERE campaign_id = $campaign_id)
ORDER BY n_requests DESC, capability, technique
