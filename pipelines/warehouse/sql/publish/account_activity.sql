-- account_activity: the nights of every account that was ever flagged.
-- Reads night.flagged_account, core.request, core.account. At most twenty model names per night: a
-- client may write anything there.
WITH flagged AS (
    SELECT DISTINCT account_id FROM night.flagged_account
),
per_night AS (
    SELECT request.account_id, request.day, min(request.org_id) AS org_id, count(*) AS n_requests,
           least(coalesce(sum(request.output_tokens), 0), 9e18)::BIGINT AS output_tokens, -- a log may say anything
           count(DISTINCT date_trunc('hour', request.sent_at))::INTEGER AS active_hours,
           list_slice(list_sort(coalesce(list(DISTINCT request.model) FILTER (request.model IS NOT NULL),
                                         []::VARCHAR[])), 1, 20) AS models
    FROM core.request AS request JOIN flagged USING (account_id)
    GROUP BY request.account_id, request.day
)
SELECT per_night.account_id, per_night.day, coalesce(account.org_id, per_night.org_id) AS org_id,
       account.created_at, account.plan, account.country, per_night.n_requests, per_night.output_tokens,
       per_night.active_hours, per_night.models
FROM per_night LEFT JOIN core.account AS account USING (account_id)
ORDER BY per_night.account_id, per_night.day
