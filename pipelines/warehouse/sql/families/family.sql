-- family: the night's families with their prevalence and first night. The readable form comes with the evidence.
-- Reads the temporary table sent and the registered Arrow table tonight_family (family, family_id, shingles).
-- Takes $day, $kind.
INSERT INTO night.family BY NAME
WITH users AS (
    SELECT family, count(*)::INTEGER AS n_accounts, sum(n_requests)::BIGINT AS n_requests
    FROM (SELECT family, account, sum(n_requests) AS n_requests FROM sent GROUP BY family, account) GROUP BY family
),
items AS (SELECT family, count(*) AS n_items FROM (SELECT DISTINCT family, item FROM sent) GROUP BY family),
counted AS (FROM users JOIN items USING (family)),
earlier AS (
    SELECT family_id, min(first_seen) AS first_seen FROM night.family WHERE day < $day GROUP BY family_id
)
SELECT $day AS day, family_id, $kind AS kind, n_accounts, n_requests, n_items,
       coalesce(first_seen, $day) AS first_seen, '' AS skeleton, shingles
FROM counted JOIN tonight_family USING (family) LEFT JOIN earlier USING (family_id)
ORDER BY family_id
