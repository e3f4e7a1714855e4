-- templated: requests of asked accounts that follow asked families, each with one of these, in the order in which samples
-- take an account's: by a hash of the request. Of an account and family as many are kept as a sample may take of an
-- account, by that order and by the prompt's. Reads the registered Arrow tables asked_account (account, account_id) and
-- asked_family (family, family_id) and the temporary table tonight_family_request. Takes $day, $account_rows.
SELECT account, family, row_id, prompt_hash AS item, epoch_us(sent_at) AS sent_at_us,
       coalesce(attempt, 1) <= 1 AS is_first
FROM tonight_family_request
JOIN asked_family USING (family_id)
JOIN core.request AS request ON request.rowid = row_id
JOIN asked_account USING (account_id)
WHERE day = $day
QUALIFY row_number() OVER (PARTITION BY account, family ORDER BY NOT is_first, hash(row_id), row_id, place) <= $account_rows
     OR row_number() OVER (PARTITION BY account, family ORDER BY item, sent_at, row_id, place) <= $account_rows
ORDER BY account, hash(row_id), row_id, place, family
