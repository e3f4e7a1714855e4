-- fail_over_pairs: who was refused and who took over, once for each two; without an heir, refusals that tell something and
-- that nobody took over. Reads the temporary fail_over_run and the registered fail_over_ratio (popularity, after,
-- log_ratio). Takes $day, $delays_s, $least, $passed_on. Chance is the night's, or the account's own where that is more:
-- of a pool that sends every prompt several times the answered ones are followed, too. Of two accounts the most telling
-- fail-over counts, not their sum: two that sit side by side may help each other all day.
INSERT INTO night.fail_over BY NAME
WITH own AS (
    SELECT account_id, coalesce(sum(n) FILTER (heir_id IS NOT NULL), 0) / sum(n) AS followed_share
    FROM fail_over_run WHERE NOT is_refused GROUP BY account_id
),
refused AS (
    SELECT run.account_id, heir_id, n, floor(log2(1 + n_others))::INTEGER AS popularity,
           if(delay_s IS NULL, NULL, len(list_filter($delays_s, lambda bound: bound < delay_s))) AS after,
           ln($passed_on / greatest(coalesce(followed_share, 0), 1e-9)) AS own_ratio
    FROM fail_over_run AS run LEFT JOIN own ON own.account_id = run.account_id
    WHERE is_refused
),
weighed AS (
    SELECT account_id, n, heir_id, if(heir_id IS NULL, NULL, least(ratio.log_ratio, own_ratio)) AS log_ratio
    FROM refused
    LEFT JOIN fail_over_ratio AS ratio ON ratio.popularity = refused.popularity AND ratio.after = refused.after
    WHERE own_ratio >= $least
      AND refused.popularity IN (SELECT popularity FROM fail_over_ratio WHERE log_ratio >= $least)
)
SELECT $day AS day, account_id, heir_id, sum(n)::BIGINT AS n_requests, max(log_ratio) AS log_ratio
FROM (SELECT account_id, if(log_ratio >= $least, heir_id, NULL) AS heir_id, n,
             if(log_ratio >= $least, log_ratio, NULL) AS log_ratio FROM weighed)
GROUP BY account_id, heir_id ORDER BY account_id, heir_id
