-- findings/flags: every flag of every night, without its reasons.
-- Reads flagged_account of the published snapshot. Called by findings.flags.
SELECT day, account_id, campaign_id, recommended_action, score, p_value, confidence
FROM flagged_account
ORDER BY day, account_id, campaign_id
