-- fail_over_pairs: who was refused and who took over, once for each two; without an heir, refusals that tell something and
-- that nobody took over. Reads the temporary fail_over_run and the registered fail_over_ratio (popularity, after,
-- log_ratio). Takes $day, $delays_s, $least. Of two accounts the most telling fail-over counts, not their sum: two that
-- sit side by side may help each other all day.
INSERT INTO night.fail_over BY NAME
WITH refused AS (
    SELECT account_id, heir_id, n, floor(log2(1 + n_others))::INTEGER AS popularity,
           len(list_filter($delays_s, lambda bound: bound < delay_s)) AS after
    FROM fail_over_run WHERE is_refused
),
weighed AS (
    SELECT account_id, n, if(ratio.log_ratio >= $least, heir_id, NULL) AS heir_id,
           if(ratio.log_ratio >= $least, ratio.log_ratio, NULL) AS log_ratio
    FROM refused
    LEFT JOIN fail_over_ratio AS ratio ON ratio.popularity = refused.popularity AND ratio.after = refused.after
    WHERE refused.popularity IN (SELECT popularity FROM fail_over_ratio WHERE log_ratio >= $least)
)
SELECT $day AS day, account_id, heir_id, sum(n)::BIGINT AS n_requests, max(log_ratio) AS log_ratio
FROM weighed GROUP BY account_id, heir_id ORDER BY account_id, heir_id
