-- slots: requests of each group that follow its templates, once each, with fingerprints: whole accounts, chosen by hash,
-- until a group's share is used up, and of an account those with the smallest prompt hashes. Reads the registered Arrow
-- tables group_member (number, account_id) and group_family (number, family_id, family) and the temporary table
-- tonight_family_request. Takes $day, $group_rows, $account_rows. Leaves group_use, of all groups: the night's requests
-- are read once.
CREATE OR REPLACE TEMP TABLE group_use AS
WITH mine AS (
    SELECT number, account_id, row_id, family, prompt_hash, sent_at
    FROM group_family
    JOIN tonight_family_request USING (family_id)
    JOIN core.request AS request ON request.rowid = row_id
    SEMI JOIN group_member USING (number, account_id)
    WHERE day = $day AND prompt_hash IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY number, row_id ORDER BY place, family) = 1
),
few AS (
    FROM mine
    QUALIFY row_number() OVER (PARTITION BY number, account_id ORDER BY prompt_hash, sent_at, row_id) <= $account_rows
),
load AS (SELECT number, account_id, count(*) AS n FROM few GROUP BY number, account_id),
running AS (
    SELECT number, account_id, sum(n) OVER (PARTITION BY number ORDER BY hash(account_id), account_id) - n AS n_before
    FROM load
),
chosen AS (
    SELECT number, family, row_id
    FROM few SEMI JOIN (FROM running WHERE n_before < $group_rows) AS taken USING (number, account_id)
)
SELECT number, row_id, family, account_id, prompt_hash AS item, epoch_us(sent_at) AS sent_at_us,
       coalesce(n_prompt_bytes, 0) AS n_bytes, coalesce(n_prompt_tokens, 0) AS n_tokens,
       coalesce(script, 0) AS script, coalesce(capability, 0) AS capability, coalesce(shingles, []) AS shingles
FROM chosen JOIN core.request AS request ON request.rowid = row_id
ORDER BY number, row_id
