-- members: every account that was ever part of one campaign, at its latest state in it.
SELECT account_id, score, confidence, recommended_action, reasons, first_seen, last_seen, n_requests,
       output_tokens, day
FROM flagged_account
WHERE campaign_id = $campaign_id
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY day DESC) = 1
ORDER BY score DESC, account_id
