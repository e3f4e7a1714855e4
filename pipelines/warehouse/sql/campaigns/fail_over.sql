-- fail_over: how each account's requests of a prompt end, and who sends the prompt next. Takes $day, $refused (statuses
-- besides 5xx), $most_senders, $within_s. Leaves the temporary table fail_over_run: a run is one owner's requests of one
-- prompt with no longer pause than $within_s; it is refused when any of it was. Only a run whose last request was as the
-- run is can be taken over: whoever tries again on its own and is answered needs nobody else.
-- Linear but for one sort: of prompts that several accounts sent and few: one of more is public, and left out.
CREATE OR REPLACE TEMP TABLE fail_over_run AS
WITH sent AS (
    SELECT prompt_hash, account_id, org_id, sent_at,
           coalesce(list_contains($refused, status) OR status >= 500, false) AS is_refused
    FROM core.request WHERE day = $day AND prompt_hash IS NOT NULL
),
owner AS (                             -- one organisation's keys are one owner's; an account without one is its own
    SELECT asked.account_id,
           coalesce('org ' || any_value(account.org_id), 'org ' || max(asked.org_id), 'account ' || asked.account_id) AS owner
    FROM sent AS asked LEFT JOIN core.account AS account ON account.account_id = asked.account_id
    GROUP BY asked.account_id
),
asked AS MATERIALIZED (
    SELECT prompt_hash, account_id, bool_or(is_refused) AS is_refused FROM sent GROUP BY prompt_hash, account_id
),
prompt AS MATERIALIZED (
    SELECT prompt_hash, count(*) AS n_accounts FROM asked GROUP BY prompt_hash HAVING count(*) <= $most_senders
),
ordered AS (
    SELECT prompt_hash, n_accounts, account_id, owner, sent_at, is_refused,
           lag(owner) OVER in_time IS DISTINCT FROM owner
               OR sent_at - lag(sent_at) OVER in_time > to_seconds($within_s::BIGINT) AS begins
    FROM sent
    JOIN (FROM prompt WHERE n_accounts > 1) AS shared USING (prompt_hash)
    JOIN owner USING (account_id)
    WINDOW in_time AS (PARTITION BY prompt_hash ORDER BY sent_at, account_id)
),
numbered AS (
    SELECT *, sum(begins::INTEGER) OVER (PARTITION BY prompt_hash ORDER BY sent_at, account_id) AS run FROM ordered
),
run AS (
    SELECT prompt_hash, run, any_value(n_accounts) AS n_accounts, bool_or(is_refused) AS is_refused,
           arg_min((account_id, sent_at), (sent_at, account_id)) AS first_sent,
           arg_max((account_id, sent_at, is_refused), (sent_at, account_id)) AS last_sent
    FROM numbered GROUP BY prompt_hash, run
),
followed AS (
    SELECT n_accounts, is_refused, last_sent, lead(first_sent) OVER (PARTITION BY prompt_hash ORDER BY run) AS next_sent
    FROM run
),
judged AS (                            -- runs of one owner follow each other after a pause only: nobody took over
    SELECT n_accounts, is_refused, last_sent[1] AS account_id, next_sent[1] AS next_account,
           epoch_us(next_sent[2]) - epoch_us(last_sent[2]) AS delay_us,
           next_sent IS NOT NULL AND last_sent[3] = is_refused AND epoch_us(next_sent[2]) - epoch_us(last_sent[2])
               <= 1000000 * $within_s::BIGINT AS is_followed
    FROM followed
)
SELECT account_id, if(is_followed, next_account, NULL) AS heir_id, is_refused,
       -- without the one who came next: what was expected of everybody else
       n_accounts - 1 - is_followed::INTEGER AS n_others,
       if(is_followed, delay_us / 1e6, NULL) AS delay_s, count(*) AS n
FROM judged GROUP BY ALL
UNION ALL
SELECT account_id, NULL, is_refused, 0, NULL, count(*)
FROM asked SEMI JOIN (FROM prompt WHERE n_accounts = 1) AS own USING (prompt_hash)
GROUP BY account_id, is_refused
