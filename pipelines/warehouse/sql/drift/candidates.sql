-- candidates: evidence of tonight's innocent communities, by the rules of campaigns/reference.sql, as tomorrow will see
-- them. Takes $day, $least, $tainted. Called by pipelines.drift.
WITH accused AS (
    SELECT day, account_id FROM night.flagged_account WHERE day <= $day
    UNION
    SELECT day, account_id FROM night.candidate_account JOIN night.candidate USING (day, candidate_id)
    WHERE day <= $day AND evidence >= $least
),
suspect AS (
    SELECT account_id FROM (SELECT account_id FROM accused UNION FROM core.labelled)
    ANTI JOIN core.cleared USING (account_id)
    UNION
    SELECT account_id FROM accused WHERE day = $day
),
tainted AS (
    SELECT candidate_id
    FROM night.candidate_account LEFT JOIN suspect USING (account_id)
    WHERE day = $day
    GROUP BY candidate_id
    HAVING count(suspect.account_id) >= $tainted * count(*)
)
SELECT evidence
FROM night.candidate ANTI JOIN tainted USING (candidate_id)
WHERE day = $day AND NOT flagged AND evidence < $least AND is_head IS NOT FALSE
ORDER BY candidate_id
