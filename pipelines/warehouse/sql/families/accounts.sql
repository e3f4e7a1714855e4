-- accounts: the night's accounts by number, ascending, with their organisation and how many prompts they sent. The
-- accounts file knows best who an account belongs to; else the requests say. Takes $day. Leaves tonight_account.
CREATE OR REPLACE TEMP TABLE tonight_account AS
WITH sent AS (
    SELECT account_id, max(org_id) AS org_id, count(prompt_hash) AS n_prompts
    FROM core.request WHERE day = $day GROUP BY account_id
)
SELECT (row_number() OVER (ORDER BY account_id) - 1)::INTEGER AS account, account_id,
       coalesce(known.org_id, sent.org_id) AS org_id, n_prompts
FROM sent LEFT JOIN core.account AS known USING (account_id)
