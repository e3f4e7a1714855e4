-- asked_again: what accounts ask tonight that they asked on one of the nights before, too. Takes $day, $nights.
INSERT INTO night.asked_again BY NAME
WITH tonight AS (
    SELECT DISTINCT account_id, prompt_hash FROM core.request WHERE day = $day AND prompt_hash IS NOT NULL
)
SELECT account_id, prompt_hash FROM tonight
SEMI JOIN (SELECT account_id, prompt_hash FROM core.request WHERE day BETWEEN $day - $nights AND $day - 1) AS before
    USING (account_id, prompt_hash)
