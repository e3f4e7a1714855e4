-- reference: busy accounts of earlier nights that were neither flagged nor suspect, one night each, its latest,
-- with the number of nights and their mean evidence.
-- Takes $day, $nights, $rows, $least. Rows of one account are alike: a crowd of copies would pretend to a calibration
-- finer than it is. Who was ever flagged is no example of the ordinary until a person has dismissed all of its cases,
-- and who came near it on any night is none either: what was missed must not become what is usual.
WITH ordinary AS (
    SELECT account_id, max(day) AS day, count(*) AS n_nights, avg(log_odds) AS mean_log_odds
    FROM night.lone_account
    WHERE day >= $day - $nights AND day < $day
      AND account_id NOT IN (
          SELECT account_id FROM (
              SELECT account_id FROM night.flagged_account WHERE day < $day UNION FROM core.labelled)
          ANTI JOIN core.cleared USING (account_id))
    GROUP BY account_id
    HAVING max(log_odds) < $least
    ORDER BY md5(account_id)
    LIMIT $rows
)
SELECT d.*, s.peer_group, l.* EXCLUDE (day, account_id), o.n_nights, o.mean_log_odds
FROM ordinary AS o
JOIN night.lone_account AS l USING (account_id, day)
JOIN night.account_day AS d USING (account_id, day)
JOIN night.account_score AS s USING (account_id, day)
ORDER BY account_id
