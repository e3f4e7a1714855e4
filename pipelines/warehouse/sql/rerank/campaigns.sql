-- rerank/campaigns: each campaign asked for, as it was on the last night before `before`, or else on the first one since.
-- Reads night.campaign and `asked` (subject_id, before). Called by pipelines.reranking.
SELECT campaign_id AS subject_id, day, score, confidence,
       [piece.code FOR piece IN evidence] AS codes, [piece.log_odds FOR piece IN evidence] AS log_odds
FROM asked JOIN night.campaign ON campaign_id = subject_id
QUALIFY row_number() OVER (PARTITION BY subject_id ORDER BY day >= before, abs(day - before)) = 1
ORDER BY subject_id
