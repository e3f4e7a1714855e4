-- hand_overs: of each prompt family, accounts that fell silent and when, that are new and when they began, and that go on
-- and when their night began: 0, 1 and 2, as in detector.campaigns.hand_over. Takes $day, $lasting_nights, $few_uses.
-- Silent: at work until the night before, in earnest, and not tonight; or refused to the end of tonight with 401 or 403.
-- New: not seen on the nights that links look back on.
WITH past AS (
    SELECT account_id, max(day) AS last_day, max(last_sent_at) AS last_sent_at FROM night.account_day
    WHERE day BETWEEN $day - $lasting_nights AND $day - 1 GROUP BY account_id
),
used AS (
    SELECT account_id, family_id, sum(n_requests) AS n_requests FROM night.family_account
    WHERE day BETWEEN $day - $lasting_nights AND $day GROUP BY account_id, family_id
    HAVING sum(n_requests) >= $few_uses
),
refused AS (SELECT DISTINCT account_id FROM core.request WHERE day = $day AND status IN (401, 403)),
shut AS (
    SELECT account_id,
           coalesce(max(sent_at) FILTER (coalesce(status, 200) < 400), min(sent_at)) AS moment
    FROM core.request SEMI JOIN refused USING (account_id) WHERE day = $day
    GROUP BY account_id HAVING arg_max(coalesce(status, 200), (sent_at, request_key)) IN (401, 403)
),
stopped AS (
    SELECT account_id, past.last_sent_at AS moment FROM past
    ANTI JOIN (SELECT account_id FROM night.account_day WHERE day = $day) AS sent USING (account_id)
    WHERE last_day = $day - 1
    UNION ALL
    SELECT account_id, moment FROM shut
),
tonight AS (
    SELECT family_id, account_id, sent.first_sent_at AS moment, past.account_id IS NULL AS is_new
    FROM night.family_account AS family
    JOIN night.account_day AS sent USING (day, account_id)
    LEFT JOIN past USING (account_id)
    ANTI JOIN shut USING (account_id)
    WHERE day = $day AND EXISTS (FROM past)
),
came AS (SELECT family_id FROM tonight GROUP BY family_id HAVING bool_or(is_new) AND NOT bool_and(is_new))
SELECT family_id, if(is_new, 1, 2) AS what, epoch_us(moment) AS at_us FROM tonight SEMI JOIN came USING (family_id)
UNION ALL
SELECT family_id, 0, epoch_us(moment) FROM stopped JOIN used USING (account_id) SEMI JOIN came USING (family_id)
ORDER BY ALL
