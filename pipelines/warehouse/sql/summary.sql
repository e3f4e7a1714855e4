-- summary: the night in one row. A file's refused and repeated rows count for the first day it brought rows to.
-- Takes $day and the counts of the steps.
INSERT INTO night.summary BY NAME
WITH first_day AS (SELECT file_id, min(day) AS day FROM core.request GROUP BY file_id),
lost AS (
    SELECT coalesce(sum(n_refused), 0)::BIGINT AS n_refused, coalesce(sum(n_repeated), 0)::BIGINT AS n_repeated
    FROM raw.file JOIN first_day USING (file_id) WHERE day = $day
)
SELECT $day AS day, (SELECT count(*) FROM core.request WHERE day = $day) AS n_requests, $n_accounts AS n_accounts,
       n_refused, n_repeated, $n_families AS n_families, $n_candidates AS n_candidates,
       $n_campaigns AS n_campaigns, $n_flagged AS n_flagged, $calibration AS calibration
FROM lost
