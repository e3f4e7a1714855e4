-- account_refusals: what the provider refused to these accounts, by the category it gave. Takes $accounts.
SELECT category, count(*) AS n_accounts, sum(n_requests)::BIGINT AS n_requests,
       min(first_at) AS first_at, max(last_at) AS last_at
FROM account_refusals WHERE list_contains($accounts, account_id)
GROUP BY category ORDER BY n_requests DESC, category
