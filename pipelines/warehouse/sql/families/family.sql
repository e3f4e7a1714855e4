-- family: the night's families with their prevalence and first night. The readable form comes with the evidence.
-- Reads the registered Arrow tables tonight_text, tonight_family (family, family_id, shingles). Takes $day, $kind.
INSERT INTO night.family BY NAME
WITH counted AS (
    SELECT family, count(DISTINCT account)::INTEGER AS n_accounts, sum(n_requests)::BIGINT AS n_requests,
           count(DISTINCT item) AS n_items
    FROM tonight_text WHERE family >= 0 GROUP BY family
),
earlier AS (
    SELECT family_id, min(first_seen) AS first_seen FROM night.family WHERE day < $day GROUP BY family_id
)
SELECT $day AS day, family_id, $kind AS kind, n_accounts, n_requests, n_items,
       coalesce(first_seen, $day) AS first_seen, '' AS skeleton, shingles
FROM counted JOIN tonight_family USING (family) LEFT JOIN earlier USING (family_id)
ORDER BY family_id
