-- nights: evidence of the earlier nights on which each of `judged` was judged alone, in its order: their sum and number.
-- Takes $day, $nights.
SELECT coalesce(sum(l.log_odds), 0.0) AS log_odds, count(l.day) AS n_nights
FROM judged AS j
LEFT JOIN night.lone_account AS l
    ON l.account_id = j.account_id AND l.day >= $day - $nights AND l.day < $day
GROUP BY j.account
ORDER BY j.account
