-- prompts: one row per prompt of the night, as fingerprints. Reads tonight_account. Takes $day.
SELECT request.rowid AS row_id, account, prompt_hash AS item, coalesce(training_permille, 0) AS training_permille,
       shingles
FROM core.request AS request JOIN tonight_account USING (account_id)
WHERE day = $day AND prompt_hash IS NOT NULL
