-- account_lone: tonight's accounts that are judged alone, those with $least prompts and requests or with an approved
-- use, with their scores and the first time they were seen on any night.
-- Reads night.account_day and night.account_score. Takes $day, $least. Called by pipelines.lone.
WITH judged AS (
    SELECT account_id
    FROM night.account_day
    WHERE day = $day AND (is_approved OR (n_prompts >= $least AND n_requests >= $least))
),
first_time AS (
    SELECT account_id, min(first_sent_at) AS first_seen
    FROM night.account_day
    WHERE day <= $day AND account_id IN (FROM judged)
    GROUP BY account_id
)
SELECT d.*, s.peer_group, s.score, s.p_value, f.first_seen, lower(trim(a.approved_use)) AS approved_use
FROM night.account_day AS d
JOIN night.account_score AS s USING (day, account_id)
JOIN first_time AS f USING (account_id)
LEFT JOIN core.account AS a USING (account_id)
WHERE d.day = $day AND d.account_id IN (FROM judged)
ORDER BY d.account_id;
