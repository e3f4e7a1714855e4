-- sample: the requests that are judged, as row ids: whole accounts, by hash, until a family's share is used up; of
-- an account its requests with the smallest prompt hashes. The first account is always among them. All of a family
-- that fits. Reads queue_load and queue_row. Takes $family_rows, $account_rows.
CREATE OR REPLACE TEMP TABLE queue_use AS
WITH running AS (
    SELECT family_id, account_id, n_requests, sum(least(n_requests, $account_rows)) OVER (
               PARTITION BY family_id ORDER BY hash(account_id), account_id
           ) - least(n_requests, $account_rows) AS n_before
    FROM queue_load
),
chosen AS (SELECT family_id, account_id, n_requests FROM running WHERE n_before < $family_rows),
busy AS (                              -- few accounts, so that few rows need sorting
    SELECT family_id, account_id, row_id, prompt_hash
    FROM queue_row
    SEMI JOIN (FROM chosen WHERE n_requests > $account_rows) AS over USING (family_id, account_id)
    QUALIFY row_number() OVER (
        PARTITION BY family_id, account_id ORDER BY prompt_hash, sent_at, row_id) <= $account_rows
)
SELECT family_id, account_id, row_id, prompt_hash
FROM queue_row
SEMI JOIN (FROM chosen WHERE n_requests <= $account_rows) AS whole USING (family_id, account_id)
UNION ALL
FROM busy
