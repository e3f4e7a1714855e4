-- links: what held one campaign together on its latest night, strongest first, with the evidence for it as it was.
WITH latest AS (
    SELECT day, campaign_id, list_sum(list_transform(evidence, lambda piece: piece.log_odds)) AS log_odds
    FROM campaign WHERE campaign_id = $campaign_id
    ORDER BY day DESC LIMIT 1
)
SELECT day, kind, strength, reach, coalesce(log_odds, 0) AS log_odds, log_odds_without, stands_without
FROM campaign_link JOIN latest USING (day, campaign_id)
ORDER BY strength DESC, kind
