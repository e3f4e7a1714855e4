-- families: the night's prompt families, with what is kept of their shingles. Reads queue_load. Takes $day.
WITH sent AS (SELECT family_id, sum(n_requests)::BIGINT AS n_requests FROM queue_load GROUP BY family_id)
SELECT family_id, sent.n_requests, shingles
FROM sent JOIN night.family AS family USING (family_id)
WHERE family.day = $day
ORDER BY family_id
