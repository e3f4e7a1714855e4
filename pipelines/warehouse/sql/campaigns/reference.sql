-- reference: evidence of earlier nights' innocent communities. Takes $day, $least, $tainted. What reached the threshold
-- stays out even where it was not flagged, and so does a part of something that was flagged, or reached it, on any
-- night before this one: a campaign that was missed, or found in pieces, must not become what innocence looks like. Whom a person
-- has cleared is no suspect; whom a label speaks against is one. A group that was found whole and in parts counts once.
WITH suspect AS (
    SELECT account_id FROM (
        SELECT account_id FROM night.flagged_account WHERE day < $day
        UNION
        SELECT account_id FROM night.candidate_account JOIN night.candidate USING (day, candidate_id)
        WHERE day < $day AND evidence >= $least
        UNION
        FROM core.labelled
    ) ANTI JOIN core.cleared USING (account_id)
),
tainted AS (
    SELECT day, candidate_id
    FROM night.candidate_account LEFT JOIN suspect USING (account_id)
    WHERE day < $day
    GROUP BY day, candidate_id
    HAVING count(suspect.account_id) >= $tainted * count(*)
)
SELECT
    evidence, day, coalesce(candidate.n_nights, 1) AS nights, (coalesce(earlier_evidence, 0) + evidence) / nights AS mean_evidence
FROM night.candidate ANTI JOIN tainted USING (day, candidate_id)
WHERE day < $day AND NOT flagged AND evidence < $least AND is_head IS NOT FALSE
ORDER BY day, candidate_id
