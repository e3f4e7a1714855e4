-- rows: the night's requests that follow a template, once for each, in narrow columns.
-- Reads the temporary table tonight_family_request (row_id, family_id). Takes $day. Leaves queue_row.
CREATE OR REPLACE TEMP TABLE queue_row AS
SELECT family_id, account_id, prompt_hash, sent_at, row_id
FROM tonight_family_request JOIN core.request AS request ON request.rowid = row_id
WHERE day = $day AND prompt_hash IS NOT NULL
