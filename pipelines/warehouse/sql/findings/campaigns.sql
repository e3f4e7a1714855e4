-- campaigns: one row per campaign; of the night $day, or without it at its latest state: dormant where it was not seen
-- any more, or goes on in another one.
WITH ended AS (
    SELECT CASE event WHEN 'merged' THEN other_id ELSE campaign_id END AS campaign_id, max(day) AS ended_on
    FROM campaign_event WHERE event IN ('dormant', 'merged')
    GROUP BY ALL
)
SELECT campaign_id, score, p_value, confidence, n_accounts, n_requests, output_tokens, first_seen, last_seen,
       capabilities, techniques, profile, links, summary,
       CASE WHEN $day IS NULL AND ended_on > day THEN 'dormant' ELSE status END AS status, day
FROM campaign LEFT JOIN ended USING (campaign_id)
WHERE $day IS NULL OR day = $day
QUALIFY row_number() OVER (PARTITION BY campaign_id ORDER BY day DESC) = 1
ORDER BY score DESC, campaign_id
