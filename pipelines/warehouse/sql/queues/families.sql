-- families: the night's prompt families, largest sample first decided elsewhere: number, requests, shingles.
-- Reads queue_load. Takes $day.
SELECT family_id, any_value(shingles) AS shingles, sum(n_requests)::BIGINT AS n_requests
FROM queue_load JOIN night.family AS family USING (family_id)
WHERE family.day = $day
GROUP BY family_id
ORDER BY family_id
