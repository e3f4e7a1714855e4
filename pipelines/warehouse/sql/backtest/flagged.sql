-- flagged: accounts as they were flagged, with their campaign's verdict; campaign_id is null for lone ones.
-- Takes $until.
SELECT day, account_id, campaign_id, campaign.confidence, campaign.recommended_action
FROM night.flagged_account AS flagged LEFT JOIN night.campaign AS campaign USING (day, campaign_id)
WHERE day <= $until
ORDER BY day, campaign_id NULLS LAST, account_id
