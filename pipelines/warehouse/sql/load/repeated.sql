-- repeated: new rows that must go again, because their request_id is taken. Reads core.request and the temporary
-- table reading (the files just read). Takes $day (null: all days). A row of an earlier scan wins over any new one;
-- among new rows the earliest wins, then a hash of the whole row, so that the order of files does not matter.
CREATE OR REPLACE TEMP TABLE repeated AS
WITH new_request AS (
    SELECT rowid AS new_row, request_key
    FROM core.request WHERE file_id IN (FROM reading) AND day = coalesce($day, day)
),
new_key AS (SELECT request_key, count(*) AS n FROM new_request GROUP BY request_key),
taken AS (
    SELECT DISTINCT request_key FROM core.request SEMI JOIN new_key USING (request_key)
    WHERE NOT (file_id IN (FROM reading) AND day = coalesce($day, day))
),
twin AS (
    SELECT rowid AS new_row, request_key, sent_at, file_id, row_number,
           hash(*COLUMNS(* EXCLUDE (file_id, row_number))) AS content
    FROM core.request
    WHERE file_id IN (FROM reading) AND day = coalesce($day, day)
      AND request_key IN (SELECT request_key FROM new_key WHERE n > 1)
),
ranked AS (
    SELECT new_row AS repeated_row,
           row_number() OVER (PARTITION BY request_key ORDER BY sent_at, content, file_id, row_number) AS place
    FROM twin
)
SELECT repeated_row FROM ranked WHERE place > 1
UNION
SELECT new_row FROM new_request SEMI JOIN taken USING (request_key)
