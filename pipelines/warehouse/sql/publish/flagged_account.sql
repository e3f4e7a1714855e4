-- flagged_account: every night of every flagged account. Reads night.flagged_account.
SELECT * FROM night.flagged_account ORDER BY day, account_id, campaign_id NULLS FIRST
