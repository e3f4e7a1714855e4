-- untemplated: a sample of each asked account's requests, whatever they follow, first attempts only; those with the
-- smallest hashes. Reads the registered Arrow table asked_account (account, account_id). Takes $day, $account_rows.
SELECT account, 0::INTEGER AS family, request.rowid AS row_id, prompt_hash AS item, epoch_us(sent_at) AS sent_at_us,
       true AS is_first
FROM core.request AS request JOIN asked_account USING (account_id)
WHERE day = $day AND coalesce(attempt, 1) <= 1
QUALIFY row_number() OVER (PARTITION BY account ORDER BY hash(request.rowid), request.rowid) <= $account_rows
ORDER BY account, hash(request.rowid), request.rowid
