-- campaigns: one row per campaign; of the night $day, or without it at its latest state.
SELECT campaign_id, score, p_value, confidence, n_accounts, n_requests, output_tokens, first_seen, last_seen,
       capabilities, techniques, profile, links, summary, status, day
FROM campaign
WHERE $day IS NULL OR day = $day
QUALIFY row_number() OVER (PARTITION BY campaign_id ORDER BY day DESC) = 1
ORDER BY score DESC, campaign_id
