-- learned_case: what the queue is ordered by where past decisions are used. Reads night.learned_case.
SELECT * FROM night.learned_case ORDER BY level, subject_id
