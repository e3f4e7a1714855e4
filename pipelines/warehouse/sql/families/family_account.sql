-- family_account: who used which family, and whether its items are one account's or many people's.
-- Reads the registered Arrow tables tonight_text (one row per text: family, account, item) and tonight_name
-- (family, family_id), tonight_account (account, account_id). Takes $day.
INSERT INTO night.family_account BY NAME
WITH item AS (                         -- an item of two accounts is one that people share, or that is dealt out twice
    SELECT family, item, min(account) < max(account) AS is_shared
    FROM tonight_text WHERE family >= 0 GROUP BY family, item
),
per_account AS (
    SELECT family, account, sum(n_requests)::BIGINT AS n_requests, count(DISTINCT item) AS n_items,
           count(DISTINCT item) FILTER (is_shared) AS n_shared_items,
           sum(n_technique_requests)::BIGINT AS n_technique_requests
    FROM tonight_text JOIN item USING (family, item)
    GROUP BY family, account
)
SELECT $day AS day, family_id, account_id, n_requests, n_items, n_shared_items, n_technique_requests
FROM per_account JOIN tonight_name USING (family) JOIN tonight_account USING (account)
ORDER BY family_id, account_id
