-- Accounts of a night that leap beyond their own past and beyond accounts of their kind
SELECT account_id, n_requests, usual_requests, round(volume_z, 1) AS own_z, round(volume_peer_z, 1) AS peer_z
FROM night.account_day
WHERE day = DATE '2025-06-02' AND volume_z > 3 AND volume_peer_z > 3
ORDER BY volume_z DESC, account_id;

-- Subscriptions that do not match their use, with the plan
SELECT d.account_id, a.plan, d.n_requests, round(d.volume_plan_z, 1) AS plan_z
FROM night.account_day AS d JOIN core.account AS a USING (account_id)
WHERE d.day = DATE '2025-06-02' AND d.volume_plan_z > 4
ORDER BY d.volume_plan_z DESC, d.account_id;

-- Accounts that never sleep, told from a week of nights
SELECT account_id, n_requests, active_hours, week_sleepless_hours
FROM night.account_day
WHERE day = DATE '2025-06-02' AND week_sleepless_hours = 8
ORDER BY n_requests DESC, account_id;

-- Who makes training material from lists that nobody else has
SELECT account_id, n_prompts, round(any_technique_share, 2) AS technique, round(shared_item_share, 2) AS shared,
       round(contract_share, 2) AS contract, top_family_nights
FROM night.account_day
WHERE day = DATE '2025-06-02' AND any_technique_share > 0.5 AND item_novelty > 0.9 AND shared_item_share < 0.05
ORDER BY n_prompts DESC, account_id;

-- One account over its nights
SELECT day, n_requests, dormant_days, round(volume_z, 1) AS own_z, hour_shift_bits, capability_shift_bits, repeat_share
FROM night.account_day
WHERE account_id = 'acct_1'
ORDER BY day;

-- New accounts at full speed on their first night, by age
SELECT account_id, account_age_days, debut_requests, first_night_share
FROM night.account_day
WHERE day = DATE '2025-06-02' AND debut_requests >= 200
ORDER BY debut_requests DESC, account_id;

-- What is usual for a feature in each kind of use: median, 95th and 99th percentile
SELECT s.peer_group, count(d.output_ratio) AS n_known, quantile_cont(d.output_ratio, [0.5, 0.95, 0.99]) AS usual
FROM night.account_day AS d JOIN night.account_score AS s USING (day, account_id)
WHERE d.day = DATE '2025-06-02'
GROUP BY s.peer_group
ORDER BY s.peer_group;

-- A night as a file, for another tool
COPY (FROM night.account_day WHERE day = DATE '2025-06-02') TO 'account_day.parquet';
