-- resolve: which account each subject of a notice is. Reads core.request, core.account, night.account_day, and the
-- registered tables `asked` (subject, level, other_subject: a second id of the same, or null) and `named` (subject, account_id: what the operator says itself).
-- Called by pipelines.labels.resolving. Yields each subject once, with its account (null: none or several) and how many fit.
-- A subject that names an account is that account. An end user's id counts only where one account alone uses it: a
-- client may write anybody's id into its own requests, and must not pass its notices on to them. A request is found by
-- the id that the provider gave it before the log's own, which a client may have chosen.
WITH account AS (
    SELECT account_id FROM core.account
    UNION SELECT account_id FROM night.account_day
    UNION SELECT account_id FROM core.request
),
subject AS (SELECT DISTINCT subject, level FROM asked),
by_name AS (
    SELECT subject, level, account_id FROM subject JOIN named USING (subject)
),
by_account AS (
    SELECT subject, level, account_id FROM subject JOIN account ON account_id = subject
    WHERE level IN ('account', 'user')
),
request_id AS (
    SELECT DISTINCT subject, level, unnest([subject, other_subject]) AS id FROM asked WHERE level = 'request'
),
by_call AS (
    SELECT DISTINCT subject, level, account_id
    FROM request_id JOIN core.request ON call_key = hash(id)
    WHERE id <> ''
),
by_request AS (
    SELECT DISTINCT subject, level, account_id
    FROM request_id JOIN core.request ON request_key = md5_number(id)
    WHERE id <> ''
),
by_end_user AS (
    SELECT DISTINCT subject, level, account_id
    FROM subject JOIN core.request ON end_user_hash = hash(subject)
    WHERE level = 'user'
),
fitting AS (
    SELECT *, 1 AS place FROM by_name
    UNION ALL SELECT *, 2 FROM by_account
    UNION ALL SELECT *, 3 FROM by_call
    UNION ALL SELECT *, 4 FROM by_request
    UNION ALL SELECT *, 5 FROM by_end_user
),
best AS (
    SELECT subject, level, account_id FROM fitting
    QUALIFY place = min(place) OVER (PARTITION BY subject, level)
)
SELECT subject, level, CASE WHEN count(account_id) = 1 THEN any_value(account_id) END AS account_id,
       count(account_id) AS n_accounts
FROM subject LEFT JOIN best USING (subject, level)
GROUP BY subject, level
ORDER BY level, subject
