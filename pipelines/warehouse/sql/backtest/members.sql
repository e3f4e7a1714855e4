-- members: accounts of every candidate, by the candidate's number in `candidates`. Takes $until.
WITH numbered AS (
    SELECT day, candidate_id, row_number() OVER (ORDER BY day, candidate_id) - 1 AS candidate
    FROM night.candidate WHERE day <= $until
)
SELECT candidate, account_id FROM numbered JOIN night.candidate_account USING (day, candidate_id)
