-- recommendations: the action recommended for each campaign, and the templates it lives on; of the night
-- $day, or without it at its latest state.
SELECT campaign_id, recommended_action, families
FROM campaign
WHERE $day IS NULL OR day = $day
QUALIFY row_number() OVER (PARTITION BY campaign_id ORDER BY day DESC) = 1
ORDER BY campaign_id
