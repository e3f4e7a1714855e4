-- accounts: one row per flagged account and campaign; of the night $day, or without it at its latest state.
SELECT account_id, campaign_id, score, p_value, confidence, recommended_action, reasons, first_seen, last_seen,
       n_requests, output_tokens, day
FROM flagged_account
WHERE $day IS NULL OR day = $day
QUALIFY row_number() OVER (PARTITION BY account_id, campaign_id ORDER BY day DESC) = 1
ORDER BY score DESC, account_id, campaign_id NULLS FIRST
