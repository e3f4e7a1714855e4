-- compared: features of tonight's ordinary accounts of one peer group, a sample. Reads night.account_day,
-- night.account_score, night.flagged_account, core.labelled and core.cleared. Takes $day, $peer_group, $rows.
-- Called by pipelines.drift.
WITH suspect AS (
    SELECT account_id FROM (SELECT account_id FROM night.flagged_account WHERE day < $day UNION FROM core.labelled)
    ANTI JOIN core.cleared USING (account_id)
    UNION
    SELECT account_id FROM night.flagged_account WHERE day = $day
),
drawn AS (
    SELECT account_id
    FROM night.account_score ANTI JOIN suspect USING (account_id)
    WHERE day = $day AND peer_group = $peer_group
    ORDER BY md5(account_id)           -- the same sample in any order of rows
    LIMIT $rows
)
SELECT d.*
FROM night.account_day AS d
JOIN drawn USING (account_id)
WHERE d.day = $day
ORDER BY d.account_id
