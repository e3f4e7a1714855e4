-- sample: the requests that are judged, as row ids: whole accounts, by hash, until a family's share is used up; of an
-- account its requests with the smallest prompt hashes. The first account is always among them. All of a family
-- that fits. Reads queue_load and tonight_family_request. Takes $day, $family_rows, $account_rows.
CREATE OR REPLACE TEMP TABLE queue_use AS
WITH running AS (
    SELECT family_id, account_id, sum(least(n_requests, $account_rows)) OVER (
               PARTITION BY family_id ORDER BY hash(account_id), account_id
           ) - least(n_requests, $account_rows) AS n_before
    FROM queue_load
),
chosen AS (SELECT family_id, account_id FROM running WHERE n_before < $family_rows)
SELECT chosen.family_id, chosen.account_id, row_id, prompt_hash
FROM chosen
JOIN tonight_family_request AS belongs ON belongs.family_id = chosen.family_id
JOIN core.request AS request ON request.rowid = row_id AND request.account_id = chosen.account_id
WHERE day = $day AND prompt_hash IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY chosen.family_id, chosen.account_id ORDER BY prompt_hash, sent_at, row_id) <= $account_rows
