-- account_lone: tonight's accounts with their scores and the first time they were seen on any night.
-- Reads night.account_day and night.account_score. Takes $day. Called by pipelines.scores.
WITH first_time AS (
    SELECT account_id, min(first_sent_at) AS first_seen
    FROM night.account_day
    WHERE day <= $day
    GROUP BY account_id
)
SELECT d.*, s.peer_group, s.score, s.p_value, f.first_seen, lower(trim(a.approved_use)) AS approved_use
FROM night.account_day AS d
JOIN night.account_score AS s USING (day, account_id)
JOIN first_time AS f USING (account_id)
LEFT JOIN core.account AS a USING (account_id)
WHERE d.day = $day
ORDER BY d.account_id;
