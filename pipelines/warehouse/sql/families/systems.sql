-- systems: one row per account and distinct system prompt of the night. Takes $day.
WITH used AS (
    SELECT account_id, system_hash, count(*) AS n_requests
    FROM core.request
    WHERE day = $day AND system_hash IS NOT NULL
    GROUP BY account_id, system_hash
)
SELECT account_id, system_hash AS text_hash, shingles, n_requests, 0::BIGINT AS training_permille
FROM used JOIN core.system_text USING (system_hash)
