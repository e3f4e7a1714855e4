-- prompts: one row per prompt of the night, as fingerprints. Takes $day.
SELECT rowid AS row_id, account_id, prompt_hash AS text_hash, shingles,
       1::BIGINT AS n_requests, (technique > 0)::BIGINT AS n_technique_requests
FROM core.request
WHERE day = $day AND prompt_hash IS NOT NULL
