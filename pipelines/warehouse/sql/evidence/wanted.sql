-- wanted: the few requests whose text is worth showing, and where to find them. A hash of the request id chooses, so
-- that neither the order of files nor a sender decides what is shown. Takes $day, $per_account, $per_family.
CREATE OR REPLACE TEMP TABLE wanted AS
WITH flagged AS (SELECT DISTINCT account_id FROM night.flagged_account WHERE day = $day),
lived_on AS (SELECT DISTINCT unnest(families[1:8]) AS family_id FROM night.campaign WHERE day = $day),
sent AS (
    SELECT account_id, request_key, file_id, row_number, family_id, coalesce(place, 0) AS place
    FROM core.request SEMI JOIN flagged USING (account_id)
    LEFT JOIN tonight_family_request ON row_id = core.request.rowid
    WHERE day = $day AND prompt_hash IS NOT NULL
),
of_account AS (                        -- each request once, as the family it holds most of
    FROM sent WHERE place = 0 QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY request_key) <= $per_account
),
one_each AS (                          -- a template is read off different accounts
    FROM sent SEMI JOIN lived_on USING (family_id)
    QUALIFY row_number() OVER (PARTITION BY family_id, account_id ORDER BY request_key) = 1
),
of_family AS (
    FROM one_each QUALIFY row_number() OVER (PARTITION BY family_id ORDER BY request_key) <= $per_family
)
SELECT * EXCLUDE (place) FROM of_account UNION SELECT * EXCLUDE (place) FROM of_family
