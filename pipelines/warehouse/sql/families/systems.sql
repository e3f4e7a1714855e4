-- systems: one row per account and distinct system prompt of the night, as fingerprints. Reads tonight_account.
-- Takes $day.
WITH used AS (
    SELECT DISTINCT account, system_hash
    FROM core.request JOIN tonight_account USING (account_id) WHERE day = $day AND system_hash IS NOT NULL
)
SELECT account, system_hash AS text_hash, shingles
FROM used JOIN core.system_text USING (system_hash)
ORDER BY account, text_hash
