-- rerank/accounts: each lone account asked for, as it was on the last night before `before` on which it was flagged alone,
-- or else on the first one since; its features are of that night.
-- Reads night.flagged_account, night.account_day and `asked` (subject_id, before). Called by pipelines.reranking.
SELECT a.subject_id, f.score AS flag_score, f.confidence, d.*
FROM asked AS a
JOIN night.flagged_account AS f ON f.account_id = a.subject_id AND f.campaign_id IS NULL
JOIN night.account_day AS d ON d.account_id = f.account_id AND d.day = f.day
QUALIFY row_number() OVER (PARTITION BY a.subject_id ORDER BY f.day >= a.before, abs(f.day - a.before)) = 1
ORDER BY a.subject_id
