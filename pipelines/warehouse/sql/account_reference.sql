-- account_reference: what ordinary accounts did on earlier nights, to calibrate tonight's scores.
-- Reads night.account_day, night.flagged_account, core.labelled and core.cleared. Takes $day, $nights, $rows, $outgrown,
-- $least_nights. Called by pipelines.scores and pipelines.drift.
-- One night per account, its latest: rows of one account are alike, and a crowd of copies would pretend
-- to a calibration finer than it is. An account that was ever flagged, or that a label speaks against, is no example of
-- the ordinary until a person has dismissed all of its cases. Nor is one that has outgrown its own beginnings: whoever
-- grows a little every night would otherwise carry what is usual along. Twice the reference is looked back, so that
-- slower growth shows, too.
WITH past AS (
    SELECT account_id, max(day) AS day, count(*) AS n_nights,
           list_median(arg_min(n_requests, day, 3)) AS early_requests,
           list_median(arg_max(n_requests, day, 3)) AS recent_requests
    FROM night.account_day
    WHERE day >= $day - 2 * $nights AND day < $day
    GROUP BY account_id
),
ordinary AS (
    SELECT account_id, day
    FROM past
    WHERE day >= $day - $nights
      AND (n_nights < $least_nights OR 1 + recent_requests < $outgrown * (1 + early_requests))
      AND account_id NOT IN (
          SELECT account_id FROM (
              SELECT account_id FROM night.flagged_account WHERE day < $day UNION FROM core.labelled)
          ANTI JOIN core.cleared USING (account_id))
    ORDER BY md5(account_id)           -- the same sample in any order of rows, night after night
    LIMIT $rows
)
SELECT d.*
FROM night.account_day AS d
JOIN ordinary AS o USING (account_id, day)
ORDER BY md5(d.account_id);
