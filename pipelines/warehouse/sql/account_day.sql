-- account_day: one row per account and day, every feature in one place.
-- Reads account_total (temporary), account_sorted (registered: results of the loops over sorted rows),
-- core.request and night.account_day of earlier nights, night.family_account of this night (empty when
-- the families are not known yet), core.account. Takes $day and $repeat_nights.
INSERT INTO night.account_day BY NAME
WITH past AS (                         -- the account on earlier nights
    SELECT
        account_id,
        count(*)                 AS nights_seen,
        avg(n_requests)          AS usual_requests,
        max(n_requests)          AS most_requests,
        min(day)                 AS first_day,
        max(day)                 AS last_day,
        arg_min(n_requests, day) AS first_requests,
        -- logarithms in whole millionths, so that the sums do not depend on the order of rows
        avg(log_volume)          AS log_mean,
        avg(log_volume * log_volume) AS log_square
    FROM (SELECT *, round(1e6 * ln(1 + n_requests))::HUGEINT AS log_volume
          FROM night.account_day WHERE day < $day)
    GROUP BY account_id
),
workspace_past AS (
    SELECT count(*) > 0 AS has_past FROM (SELECT 1 FROM night.account_day WHERE day < $day LIMIT 1)
),
earlier_item AS (                      -- what each account asked on the nights before
    SELECT DISTINCT account_id, prompt_hash
    FROM core.request
    WHERE day BETWEEN $day - $repeat_nights AND $day - 1 AND prompt_hash IS NOT NULL
),
repeated AS (
    SELECT r.account_id, count(*) AS n_items, count(e.prompt_hash) AS n_repeated
    FROM core.request AS r
    JOIN account_total AS t USING (account_id)
    LEFT JOIN earlier_item AS e ON e.account_id = r.account_id AND e.prompt_hash = r.prompt_hash
    WHERE r.day = $day AND r.prompt_hash IS NOT NULL
      AND (coalesce(r.attempt, 1) <= 1 OR t.n_retries = 0)
    GROUP BY r.account_id
),
family AS (
    SELECT fa.account_id, max(fa.n_requests) AS top_requests, count(*) AS n_families
    FROM night.family_account AS fa
    JOIN night.family AS f USING (day, family_id)
    WHERE fa.day = $day AND f.kind = 'prompt'
    GROUP BY fa.account_id
),
account AS (
    SELECT
        account_id,
        CASE WHEN created_at::DATE <= $day THEN $day - created_at::DATE END AS account_age_days,
        coalesce(trim(approved_use), '') <> '' AND coalesce(approved_until >= $day, true) AS is_approved
    FROM core.account
)
SELECT
    $day AS day,
    t.account_id,
    -- volume; a sum beyond BIGINT is a log that lies, not a reason to stop. least() passes over nulls,
    -- so what is unknown is kept apart
    least(round(t.requests), 9e18)::BIGINT AS n_requests,
    t.n_retries,
    CASE WHEN t.input_tokens IS NOT NULL THEN least(round(t.input_tokens), 9e18)::BIGINT END AS input_tokens,
    CASE WHEN t.output_tokens IS NOT NULL THEN least(round(t.output_tokens), 9e18)::BIGINT END AS output_tokens,
    p.usual_requests,
    p.most_requests,
    -- three nights make a habit; a spread below 0.25 (about 30 %) is read as 0.25, or one more request
    -- from a clockwork account would look like a leap
    CASE WHEN p.nights_seen >= 3
         THEN (ln(1 + t.requests) - p.log_mean / 1e6)
              / greatest(sqrt(greatest(p.log_square - p.log_mean * p.log_mean, 0)) / 1e6, 0.25) END AS volume_z,
    -- timing
    t.first_sent_at,
    t.last_sent_at,
    t.hour_mask,
    bit_count(t.hour_mask)::INTEGER AS active_hours,
    s.hour_counts,
    s.hour_entropy_bits,
    s.busiest_hour_share,
    s.longest_pause_h,
    s.median_gap_s,
    s.floor_gap_s,
    s.burstiness,
    -- templating
    t.n_prompts,
    s.prompt_distinct / nullif(s.prompt_known, 0) AS item_novelty,
    s.prompt_top / nullif(s.prompt_known, 0) AS top_item_share,
    -- an account without a past has not been asked the question
    CASE WHEN p.nights_seen > 0 AND r.n_items > 0 THEN r.n_repeated / r.n_items END AS repeat_share,
    CASE WHEN t.n_prompts > 0 AND f.top_requests > 0
         THEN least(f.top_requests / t.n_prompts, 1) END AS top_family_share,
    f.n_families,
    nullif(s.system_distinct, 0) AS n_systems,
    s.system_top / nullif(s.system_known, 0) AS top_system_share,
    -- targeting
    nullif(s.capability_value, 0)::INTEGER - 1 AS top_capability,
    s.capability_top / nullif(s.capability_known, 0) AS top_capability_share,
    s.capability_concentration,
    t.reasoning_trace_share,
    t.preference_labels_share,
    t.instruction_generation_share,
    t.trajectory_share,
    t.safety_rewrite_share,
    t.trace_cleaning_share,
    t.any_technique_share,
    nullif(t.n_models, 0) AS n_models,
    t.new_model_share,
    -- parameters
    nullif(s.parameters_distinct, 0) AS n_parameter_sets,
    s.parameters_top / nullif(s.parameters_known, 0) AS top_parameters_share,
    t.zero_temperature_share,
    CASE WHEN s.parameters_known > 0 THEN t.soft_label_share END AS soft_label_share,
    CASE WHEN s.parameters_known > 0 THEN t.multi_choice_share END AS multi_choice_share,
    -- conversation
    t.single_turn_share,
    s.median_turns,
    s.session_distinct / nullif(s.session_known, 0) AS sessions_per_request,
    t.tools_share,
    nullif(s.toolset_distinct, 0) AS n_toolsets,
    -- economy
    t.output_tokens_mean,
    t.output_ratio,
    t.length_stop_share,
    t.refusal_share,
    t.error_share,
    -- fan-in
    nullif(s.end_user_distinct, 0) AS n_end_users,
    nullif(s.script_distinct, 0) AS n_scripts,
    nullif(s.user_agent_distinct, 0) AS n_user_agents,
    nullif(s.client_distinct, 0) AS n_clients,
    -- identity
    nullif(s.api_key_distinct, 0) AS n_api_keys,
    nullif(s.ip_distinct, 0) AS n_ips,
    nullif(s.asn_distinct, 0) AS n_asns,
    nullif(s.country_distinct, 0) AS n_countries,
    -- lifecycle
    a.account_age_days,
    if(has_past, coalesce(p.nights_seen, 0), NULL) AS nights_seen,
    if(has_past, coalesce($day - p.first_day, 0), NULL) AS days_since_first_seen,
    $day - p.last_day - 1 AS dormant_days,
    t.requests / nullif(p.first_requests, 0) AS growth_ratio,
    a.is_approved
FROM account_total AS t
JOIN account_sorted AS s USING (account_no)
CROSS JOIN workspace_past
LEFT JOIN past AS p USING (account_id)
LEFT JOIN repeated AS r USING (account_id)
LEFT JOIN family AS f USING (account_id)
LEFT JOIN account AS a USING (account_id)
ORDER BY t.account_id;
