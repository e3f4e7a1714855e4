-- prompts: one row per prompt of the night, as fingerprints. Takes $day.
SELECT rowid AS row_id, account_id, prompt_hash AS text_hash, shingles,
       1::BIGINT AS n_requests, coalesce(round(1000 * if(technique = 0, 1 - technique_margin, technique_margin)), 0)::BIGINT
           AS training_permille
FROM core.request
WHERE day = $day AND prompt_hash IS NOT NULL
