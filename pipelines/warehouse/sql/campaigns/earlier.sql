-- earlier: what earlier nights said of the groups in `who` (candidate, account_id), one row for each that is known. The same
-- group is the candidate of the last of $nights nights that has at least $alike of the accounts of both together; its own
-- row knows the nights before. Takes $day, $nights, $alike.
WITH sizes AS (
    SELECT candidate, count(*) AS n FROM who GROUP BY candidate
),
common AS (
    SELECT w.candidate, e.day, e.candidate_id, count(*) AS n
    FROM who AS w JOIN night.candidate_account AS e USING (account_id)
    WHERE e.day >= $day - $nights AND e.day < $day
    GROUP BY ALL
)
SELECT
    common.candidate,
    coalesce(c.n_nights, 1) AS n_nights,
    coalesce(c.earlier_evidence, 0) + c.evidence AS log_odds,
    common.n / (sizes.n + c.n_accounts - common.n) AS likeness
FROM common JOIN sizes USING (candidate) JOIN night.candidate AS c USING (day, candidate_id)
WHERE likeness >= $alike
QUALIFY row_number() OVER (PARTITION BY common.candidate ORDER BY c.day DESC, likeness DESC, c.candidate_id) = 1
ORDER BY common.candidate
