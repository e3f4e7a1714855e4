-- evaluation/accounts: whose the accounts are, where they are, and what they write in.
-- Reads core.account (who they say they are), core.request (what retention has left of it) and `wanted`, the
-- accounts that are labelled or were flagged. Called by evaluation.workspace. A country is null unless the accounts file names it: an address is no home.
WITH written AS (                      -- prompts of each account in each script
    SELECT account_id, script, count(*) AS n_prompts
    FROM core.request SEMI JOIN wanted USING (account_id)
    WHERE script IS NOT NULL
    GROUP BY account_id, script
),
mostly AS (                            -- the script of most; on a tie the lower code
    SELECT account_id, arg_max(script, {'n': n_prompts, 'before': -script::INTEGER}) AS script
    FROM written
    GROUP BY account_id
),
logged AS (
    SELECT account_id, min(org_id) AS org_id
    FROM core.request SEMI JOIN wanted USING (account_id)
    GROUP BY account_id
)
SELECT
    account_id,
    coalesce(known.org_id, logged.org_id) AS org_id,
    known.country,
    mostly.script
FROM wanted
LEFT JOIN logged USING (account_id)
LEFT JOIN mostly USING (account_id)
LEFT JOIN core.account AS known USING (account_id)
ORDER BY account_id
