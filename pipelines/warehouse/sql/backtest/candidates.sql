-- candidates: every candidate of the nights up to $until as it was judged, in the order that numbers them from 0.
SELECT
    day, candidate_id, n_accounts, evidence, flagged, has_content,
    coalesce(n_nights, 1) AS n_nights, coalesce(earlier_evidence, 0) AS earlier_evidence
FROM night.candidate WHERE day <= $until ORDER BY day, candidate_id
