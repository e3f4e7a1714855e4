-- findings/learned_cases: what the queue is ordered by where past decisions are used.
-- Reads learned_case of the published snapshot. Called by findings.learned_cases.
SELECT level, subject_id, day, log_odds FROM learned_case ORDER BY level, subject_id
