-- texts: who sent which prompt, in narrow columns, of every $n_parts-th account from number $part. Reads
-- tonight_account. Takes $day, $part, $n_parts.
SELECT request.rowid AS row_id, account, prompt_hash AS text_hash
FROM core.request AS request JOIN tonight_account USING (account_id)
WHERE day = $day AND prompt_hash IS NOT NULL AND account % $n_parts = $part
