-- prompts: one row per prompt of the night, as fingerprints. Takes $day.
SELECT rowid AS row_id, account_id, prompt_hash AS text_hash, coalesce(training_permille, 0) AS training_permille,
       shingles
FROM core.request
WHERE day = $day AND prompt_hash IS NOT NULL
