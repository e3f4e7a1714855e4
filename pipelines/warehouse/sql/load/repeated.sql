-- repeated: new rows that must go again, because their request_id is taken. Reads core.request and the temporary
-- table reading (the files just read). Takes $day (null: all days). A row of an earlier scan wins over any new one,
-- unless the new one is a newer version of it, of the same account; among new rows the newest version wins of whoever
-- was first, then the earliest, then a hash of the whole row, so that the order of files does not matter. Where logs of
-- two formats have the id, they tell of one call, perhaps with two names for its account: the row with the longest
-- prompt is its owner's and stays.
CREATE OR REPLACE TEMP TABLE repeated AS
WITH new_request AS (
    SELECT rowid AS new_row, request_key, account_id, version
    FROM core.request WHERE file_id IN (FROM reading) AND day = coalesce($day, day)
),
new_key AS (SELECT request_key, count(*) AS n FROM new_request GROUP BY request_key),
taken AS (
    SELECT request_key, any_value(account_id) AS taken_by, max(version) AS taken_version
    FROM core.request SEMI JOIN new_key USING (request_key)
    WHERE NOT (file_id IN (FROM reading) AND day = coalesce($day, day))
    GROUP BY request_key
),
twin AS (
    SELECT rowid AS new_row, request_key, account_id, version, sent_at, file_id, row_number,
           CASE WHEN prompt_hash IS NOT NULL THEN n_prompt_bytes ELSE -1 END AS n_told,
           hash(*COLUMNS(* EXCLUDE (file_id, row_number))) AS content
    FROM core.request
    WHERE file_id IN (FROM reading) AND day = coalesce($day, day)
      AND request_key IN (SELECT request_key FROM new_key WHERE n > 1)
),
told AS (
    SELECT * REPLACE (CASE WHEN min(format) OVER of_key <> max(format) OVER of_key THEN n_told END AS n_told)
    FROM twin JOIN raw.file USING (file_id) WINDOW of_key AS (PARTITION BY request_key)
),
owned AS (
    SELECT *, first_value(account_id) OVER (
        PARTITION BY request_key ORDER BY n_told DESC, sent_at, content, file_id, row_number) AS owner
    FROM told
),
ranked AS (
    SELECT new_row AS repeated_row,
           row_number() OVER (
               PARTITION BY request_key
               ORDER BY account_id = owner DESC, version DESC NULLS LAST, n_told DESC, sent_at, content, file_id,
                        row_number) AS place
    FROM owned
)
SELECT repeated_row FROM ranked WHERE place > 1
UNION
SELECT new_row FROM new_request JOIN taken USING (request_key)
WHERE NOT coalesce(account_id = taken_by AND version > taken_version, false)
