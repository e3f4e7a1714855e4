-- templated: requests of asked accounts that follow asked families, of prompts or of system prompts, each with one of these,
-- in the order in which samples take an account's: by a hash of the request. Of an account and family as many are kept as a
-- sample may take of an account, by that order and by the prompt's. Reads the registered Arrow tables asked_account
-- (account, account_id) and asked_family (family, family_id) and the temporary tables tonight_family_request and
-- tonight_system_family. Takes $day, $account_rows.
WITH follows AS (
    SELECT family, row_id, place FROM tonight_family_request JOIN asked_family USING (family_id)
    UNION ALL
    SELECT family, request.rowid, 0
    FROM core.request AS request
    JOIN tonight_system_family AS system ON system.text_hash = request.system_hash
    JOIN asked_family USING (family_id)
    SEMI JOIN asked_account USING (account_id)
    WHERE day = $day
)
SELECT account, family, row_id, prompt_hash AS item, epoch_us(sent_at) AS sent_at_us,
       coalesce(attempt, 1) <= 1 AS is_first
FROM follows
JOIN core.request AS request ON request.rowid = row_id
JOIN asked_account USING (account_id)
WHERE day = $day
QUALIFY row_number() OVER (PARTITION BY account, family ORDER BY NOT is_first, hash(row_id), row_id, place) <= $account_rows
     OR row_number() OVER (PARTITION BY account, family ORDER BY item, sent_at, row_id, place) <= $account_rows
ORDER BY account, hash(row_id), row_id, place, family
