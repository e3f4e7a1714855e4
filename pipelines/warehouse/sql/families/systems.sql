-- systems: one row per account and distinct system prompt of the night, as fingerprints. Takes $day.
WITH used AS (
    SELECT DISTINCT account_id, system_hash FROM core.request WHERE day = $day AND system_hash IS NOT NULL
)
SELECT account_id, system_hash AS text_hash, shingles
FROM used JOIN core.system_text USING (system_hash)
