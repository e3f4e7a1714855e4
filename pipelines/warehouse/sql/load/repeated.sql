-- repeated: rows of the stage that must not be loaded, because their request_id is taken.
-- An id on an earlier scan's row wins over any new one; among new rows the earliest wins, then the smaller
-- content, so that the order of files does not matter.
CREATE OR REPLACE TEMP TABLE repeated AS
WITH taken AS (                        -- by rows that stay in the warehouse
    SELECT DISTINCT request_key
    FROM core.request SEMI JOIN stage_request USING (request_key)
),
twice AS (
    SELECT request_key FROM stage_request GROUP BY request_key HAVING count(*) > 1
),
ranked AS (
    SELECT stage_request.rowid AS stage_row, request_key,
           row_number() OVER (
               PARTITION BY request_key
               ORDER BY sent_at, account_id, prompt_hash NULLS LAST, output_tokens NULLS LAST, file_id, row_number
           ) AS place
    FROM stage_request SEMI JOIN twice USING (request_key)
)
SELECT stage_row FROM ranked WHERE place > 1
UNION
SELECT stage_request.rowid FROM stage_request SEMI JOIN taken USING (request_key)
