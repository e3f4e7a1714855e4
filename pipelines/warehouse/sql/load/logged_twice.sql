-- logged_twice: rows that must go because another log tells of the same call, and tells more (docs/decisions/0025).
-- Reads core.request, raw.file and the temporary table reading (the files just read). Takes $day (null: all days).
-- The same call: one account, one provider_request_id, logs of two formats, ten minutes at most between them, and no
-- two counts of output tokens. The n-th row of one format stands against the n-th of another, so that an id which a
-- provider gives out again and again in one log costs nothing there.
CREATE OR REPLACE TEMP TABLE logged_twice AS
WITH new_call AS (
    SELECT call_key, account_id, min(sent_at) AS first_at, max(sent_at) AS last_at
    FROM core.request WHERE call_key IS NOT NULL AND file_id IN (FROM reading) AND day = coalesce($day, day)
    GROUP BY call_key, account_id
),
span AS (SELECT min(first_at) - INTERVAL 10 MINUTE AS since, max(last_at) + INTERVAL 10 MINUTE AS until FROM new_call),
told AS (
    SELECT request.rowid AS told_row, call_key, account_id, format, file_id, row_number, sent_at, output_tokens,
           -- how much it tells: texts first, then who and how
           [(prompt_hash IS NOT NULL)::INTEGER, coalesce(n_prompt_bytes, 0), (system_hash IS NOT NULL)::INTEGER,
            (ip IS NOT NULL)::INTEGER + (user_agent IS NOT NULL)::INTEGER + (api_key_id IS NOT NULL)::INTEGER
            + (temperature IS NOT NULL)::INTEGER + (max_tokens IS NOT NULL)::INTEGER
            + (output_tokens IS NOT NULL)::INTEGER + (toolset_hash IS NOT NULL)::INTEGER] AS tells
    FROM core.request AS request JOIN raw.file USING (file_id) SEMI JOIN new_call USING (call_key, account_id), span
    WHERE sent_at BETWEEN since AND until
),
twice AS (
    SELECT call_key, account_id FROM told GROUP BY call_key, account_id HAVING count(DISTINCT format) > 1
),
numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY call_key, account_id, format ORDER BY sent_at, file_id, row_number) AS nth
    FROM told SEMI JOIN twice USING (call_key, account_id)
),
against AS (
    SELECT *, first_value({'at': sent_at, 'tokens': output_tokens, 'told_row': told_row}) OVER (
        PARTITION BY call_key, account_id, nth ORDER BY tells DESC, format, file_id, row_number) AS best
    FROM numbered
)
SELECT told_row AS row_of_less, file_id
FROM against
WHERE told_row <> best.told_row
  AND sent_at BETWEEN best.at - INTERVAL 10 MINUTE AND best.at + INTERVAL 10 MINUTE
  AND coalesce(output_tokens = best.tokens, true)
