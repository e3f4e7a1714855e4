-- wanted: the few requests of flagged accounts whose text is worth showing, and where to find them. A hash under the
-- workspace's key chooses, so that neither the order of files nor a sender decides what is shown. Takes $day, $salt,
-- $per_account.
CREATE OR REPLACE TEMP TABLE wanted AS
WITH flagged AS (SELECT DISTINCT account_id FROM night.flagged_account WHERE day = $day),
sent AS (                              -- each request once, as the family it holds most of
    SELECT account_id, request_key, file_id, row_number, family_id, 'prompt' AS kind,
           md5_number_lower($salt || hex(request_key)) AS lot  -- decimals would take DuckDB 37 us a key
    FROM core.request SEMI JOIN flagged USING (account_id)
    LEFT JOIN (FROM tonight_family_request WHERE place = 0) ON row_id = core.request.rowid
    WHERE day = $day AND prompt_hash IS NOT NULL
)
SELECT * EXCLUDE (lot) FROM sent
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY lot) <= $per_account
