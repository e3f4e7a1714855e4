-- account_reference: what ordinary accounts did on earlier nights, to calibrate tonight's scores.
-- Reads night.account_day and night.flagged_account. Takes $day, $nights, $rows. Called by pipelines.scores.
-- One night per account, its latest: rows of one account are alike, and a crowd of copies would pretend
-- to a calibration finer than it is. An account that was ever flagged is no example of the ordinary.
WITH latest AS (
    SELECT account_id, max(day) AS day
    FROM night.account_day
    WHERE day >= $day - $nights AND day < $day
    GROUP BY account_id
),
ordinary AS (
    SELECT account_id, day
    FROM latest
    WHERE account_id NOT IN (SELECT account_id FROM night.flagged_account WHERE day < $day)
    ORDER BY md5(account_id)           -- the same sample in any order of rows, night after night
    LIMIT $rows
)
SELECT d.*
FROM night.account_day AS d
JOIN ordinary AS o USING (account_id, day)
ORDER BY md5(d.account_id);
