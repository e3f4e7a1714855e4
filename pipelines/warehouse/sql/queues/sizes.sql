-- sizes: requests of each prompt family of the night, with the rows' accounts. Takes $day.
-- Reads the temporary table tonight_family_request (row_id, family_id). Leaves queue_load: what each account sent.
CREATE OR REPLACE TEMP TABLE queue_load AS
SELECT family_id, account_id, count(*) AS n_requests
FROM tonight_family_request JOIN core.request AS request ON request.rowid = row_id
WHERE day = $day AND prompt_hash IS NOT NULL
GROUP BY family_id, account_id
