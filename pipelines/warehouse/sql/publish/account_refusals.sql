-- account_refusals: what the provider refused to flagged accounts, by the category it gave. Reads night.flagged_account,
-- core.request. At most twenty categories per account: a log may say anything there.
SELECT account_id, refusal_category AS category, count(*) AS n_requests,
       min(sent_at) AS first_at, max(sent_at) AS last_at
FROM core.request SEMI JOIN night.flagged_account USING (account_id)
WHERE refusal_category IS NOT NULL
GROUP BY account_id, refusal_category
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY n_requests DESC, category) <= 20
ORDER BY account_id, n_requests DESC, category
