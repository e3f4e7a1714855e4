-- sign_ups: accounts of tonight that signed up in a rush: in an hour in which many more did than usual for their plan,
-- that hour of the day and that day of the week, over eight weeks before and after. Takes $day, $least_owners,
-- $least_log_ratio. One organisation counts once: coming on board with all seats is no rush. By hours, not by pairs.
WITH made AS (
    SELECT account_id, date_trunc('hour', created_at) AS hour, coalesce(plan, '') AS plan,
           coalesce('org ' || org_id, 'account ' || account_id) AS owner
    FROM core.account WHERE created_at < $day + INTERVAL 1 DAY
),
span AS (SELECT min(hour) AS first_hour, max(hour) AS last_hour FROM made),
by_hour AS (SELECT plan, hour, count(DISTINCT owner) AS n_owners FROM made GROUP BY plan, hour),
compared AS (
    SELECT plan, hour, n_owners, sum(n_owners) OVER around - n_owners AS n_around,
           -- the same hour of so many other weeks lies within what the file covers
           floor(epoch(hour - greatest(first_hour, hour - INTERVAL 56 DAY)) / 604800)
               + floor(epoch(least(last_hour, hour + INTERVAL 56 DAY) - hour) / 604800) AS n_weeks
    FROM by_hour CROSS JOIN span
    WINDOW around AS (PARTITION BY plan, dayofweek(hour), hour(hour) ORDER BY hour
                      RANGE BETWEEN INTERVAL 56 DAY PRECEDING AND INTERVAL 56 DAY FOLLOWING)
),
rush AS (                              -- log-likelihood ratio of the rate seen against the usual one (Poisson)
    SELECT plan, hour, n_owners, (n_around + 0.5) / (n_weeks + 1) AS usual
    FROM compared
    WHERE n_owners >= $least_owners AND n_weeks >= 2
      AND n_owners > usual AND n_owners * ln(n_owners / usual) - (n_owners - usual) >= $least_log_ratio
)
SELECT account_id, plan || ' ' || hour::VARCHAR AS object
FROM made JOIN rush USING (plan, hour)
SEMI JOIN (SELECT account_id FROM night.account_day WHERE day = $day) AS sent USING (account_id)
ORDER BY object, account_id
