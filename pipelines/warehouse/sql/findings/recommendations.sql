-- recommendations: the action each campaign's latest night recommends, and the templates it lives on.
SELECT campaign_id, recommended_action, families
FROM campaign
QUALIFY row_number() OVER (PARTITION BY campaign_id ORDER BY day DESC) = 1
ORDER BY campaign_id
