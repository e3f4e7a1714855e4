-- turns: when the accounts of each group sent what they share, or anything where they share no template: whole accounts,
-- chosen by hash, until a group's share is used up, and of an account some requests, chosen by hash. Retries are no turns.
-- Reads the registered Arrow tables group_member (number, account_id) and group_family (number, family_id) and the
-- temporary table tonight_family_request. Takes $day, $group_rows, $account_rows.
WITH member AS (                       -- every account of a group sent something: more of them cannot be in its sample
    FROM group_member
    QUALIFY row_number() OVER (PARTITION BY number ORDER BY hash(account_id), account_id) <= $group_rows
),
sent AS (
    SELECT rowid AS row_id, account_id, sent_at FROM core.request
    SEMI JOIN member USING (account_id)
    WHERE day = $day AND coalesce(attempt, 1) <= 1
),
templated AS (
    SELECT DISTINCT number, row_id FROM group_family JOIN tonight_family_request USING (family_id)
),
mine AS (
    SELECT number, account_id, row_id, sent_at, templated.row_id IS NOT NULL AS is_templated
    FROM member JOIN sent USING (account_id) LEFT JOIN templated USING (number, row_id)
),
told AS (
    FROM mine
    QUALIFY is_templated OR NOT bool_or(is_templated) OVER (PARTITION BY number)
),
few AS (
    FROM told
    QUALIFY row_number() OVER (PARTITION BY number, account_id ORDER BY hash(row_id), row_id) <= $account_rows
),
load AS (SELECT number, account_id, count(*) AS n FROM few GROUP BY number, account_id),
running AS (
    SELECT number, account_id, sum(n) OVER (PARTITION BY number ORDER BY hash(account_id), account_id) - n AS n_before
    FROM load
)
SELECT number, account_id, epoch_us(sent_at) AS sent_at_us
FROM few SEMI JOIN (FROM running WHERE n_before < $group_rows) AS taken USING (number, account_id)
ORDER BY number, row_id
