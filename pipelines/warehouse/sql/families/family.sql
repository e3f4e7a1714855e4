-- family: the night's families with their prevalence and first night. The readable form comes with the templates.
-- Reads the temporary tables sent and tonight_account (account, account_id, org_id) and the registered Arrow table
-- tonight_family (family, family_id, shingles, skeleton). Takes $day, $kind.
INSERT INTO night.family BY NAME
WITH per_account AS (SELECT family, account, sum(n_requests) AS n_requests FROM sent GROUP BY family, account),
users AS (
    SELECT family, count(*)::INTEGER AS n_accounts, sum(n_requests)::BIGINT AS n_requests,
           nullif(count(DISTINCT org_id), 0)::INTEGER AS n_orgs
    FROM per_account JOIN tonight_account USING (account) GROUP BY family
),
items AS (SELECT family, count(*) AS n_items FROM (SELECT DISTINCT family, item FROM sent) GROUP BY family),
counted AS (FROM users JOIN items USING (family)),
earlier AS (
    SELECT family_id, min(first_seen) AS first_seen, count(*)::INTEGER AS n_nights
    FROM night.family WHERE day < $day GROUP BY family_id
)
SELECT $day AS day, family_id, $kind AS kind, n_accounts, n_orgs, n_requests, n_items,
       coalesce(first_seen, $day) AS first_seen, coalesce(n_nights, 0) + 1 AS n_nights, skeleton, '' AS contract,
       []::UINTEGER[] AS marks, shingles
FROM counted JOIN tonight_family USING (family) LEFT JOIN earlier USING (family_id)
ORDER BY family_id
