-- texts: a sample of the different prompts of some accounts, each at one of its requests, always the same one. Hashes
-- have a key, so that the first ones are a fair sample. Reads core.request and the registered Arrow table busy
-- (account, account_id). Takes $day, $most. Leaves lone_text; system_no numbers each account's system prompts.
CREATE OR REPLACE TEMP TABLE lone_text AS
WITH each AS (
    SELECT account, prompt_hash, arg_min(request.rowid, request_key) AS row_id
    FROM core.request AS request JOIN busy USING (account_id)
    WHERE day = $day AND prompt_hash IS NOT NULL
    GROUP BY account, prompt_hash
    QUALIFY row_number() OVER (PARTITION BY account ORDER BY prompt_hash) <= $most
)
SELECT account, each.prompt_hash, row_id, request.system_hash,
       if(known.system_hash IS NULL, -1,
          dense_rank() OVER (PARTITION BY known.system_hash IS NULL ORDER BY account, request.system_hash) - 1)::BIGINT
          AS system_no,
       greatest(coalesce(request.training_permille, 0), coalesce(known.training_permille, 0)) AS training_permille
FROM each
JOIN core.request AS request ON request.rowid = row_id
LEFT JOIN core.system_text AS known USING (system_hash)
