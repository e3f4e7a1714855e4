-- accounts: tonight's ordinary accounts and those with a small p-value, by peer group. Reads night.account_score,
-- night.flagged_account, core.labelled and core.cleared. Takes $day, $alpha. Called by pipelines.drift.
-- Ordinary as in the reference (account_reference.sql), and not flagged tonight either.
WITH suspect AS (
    SELECT account_id FROM (SELECT account_id FROM night.flagged_account WHERE day < $day UNION FROM core.labelled)
    ANTI JOIN core.cleared USING (account_id)
    UNION
    SELECT account_id FROM night.flagged_account WHERE day = $day
)
SELECT peer_group, count(*) AS n_accounts, count(*) FILTER (WHERE p_value <= $alpha) AS n_low
FROM night.account_score ANTI JOIN suspect USING (account_id)
WHERE day = $day
GROUP BY peer_group
ORDER BY peer_group
