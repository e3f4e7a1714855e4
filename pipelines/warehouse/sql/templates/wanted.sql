-- wanted: a few requests of each family that nobody has read yet, of different accounts, and where to find them. A hash
-- under the workspace's key chooses, so that neither the order of files nor a sender decides what is shown. Reads the
-- temporary tables tonight_family_request and tonight_system_family (text_hash, family_id). Takes $day, $salt, $most,
-- $per_family.
CREATE OR REPLACE TEMP TABLE wanted AS
WITH unread AS (
    SELECT family_id FROM night.family
    WHERE day = $day AND skeleton = ''
    ORDER BY n_accounts DESC, family_id LIMIT $most
),
carried AS (
    SELECT family_id, 'prompt' AS kind, row_id
    FROM tonight_family_request SEMI JOIN unread USING (family_id)
    UNION ALL
    SELECT family_id, 'system', request.rowid
    FROM tonight_system_family SEMI JOIN unread USING (family_id)
    JOIN core.request AS request ON system_hash = text_hash WHERE day = $day
),
drawn AS (
    SELECT family_id, kind, account_id, request_key, file_id, row_number,
           md5_number_lower($salt || hex(request_key)) AS lot  -- decimals would take DuckDB 37 us a key
    FROM carried JOIN core.request AS request ON request.rowid = row_id
),
one_each AS (
    FROM drawn QUALIFY row_number() OVER (PARTITION BY family_id, account_id ORDER BY lot) = 1
)
SELECT * EXCLUDE (lot) FROM one_each
QUALIFY row_number() OVER (PARTITION BY family_id ORDER BY lot) <= $per_family
