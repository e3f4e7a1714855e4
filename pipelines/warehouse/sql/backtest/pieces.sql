-- pieces: the evidence of every candidate of the nights from $since to $until, by its number in `candidates`.
WITH numbered AS (
    SELECT day, candidate_id, row_number() OVER (ORDER BY day, candidate_id) - 1 AS candidate
    FROM night.candidate WHERE day <= $until
)
SELECT candidate, family, code, value, usual_range, log_odds
FROM numbered JOIN night.candidate_evidence USING (day, candidate_id)
WHERE day >= $since
ORDER BY candidate, position
