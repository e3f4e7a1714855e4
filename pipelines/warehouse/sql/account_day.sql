-- account_day: one row per account and day, every feature in one place; meanings: docs/features.md.
-- Reads account_total (temporary), account_sorted (registered: results of the loops over sorted rows),
-- core.request, night.asked_again, night.account_day of earlier nights, night.family_account of this night (empty when
-- the families are not known yet), core.account. Takes $day and $habit_nights.
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
    SELECT min(day) FILTER (WHERE day < $day) AS first_night FROM night.account_day
),
recent AS (                            -- habits of the last week
    SELECT
        d.account_id,
        avg(round(1e6 * d.capability_concentration)::HUGEINT) / 1e6 AS concentration,
        avg((d.top_parameters = s.parameters_value)::INTEGER)       AS same_parameters
    FROM night.account_day AS d
    JOIN account_total AS t USING (account_id)
    JOIN account_sorted AS s USING (account_no)
    WHERE d.day BETWEEN $day - $habit_nights AND $day - 1
    GROUP BY d.account_id
),
burst AS (                             -- the first night that came near the busiest so far
    SELECT d.account_id, min(d.day) AS first_burst
    FROM night.account_day AS d
    JOIN past AS p USING (account_id)
    JOIN account_total AS t USING (account_id)
    WHERE d.day < $day AND 2 * d.n_requests::DOUBLE >= greatest(p.most_requests, t.requests)
    GROUP BY d.account_id
),
repeated AS (
    SELECT r.account_id, count(*) AS n_items, count(e.prompt_hash) AS n_repeated
    FROM core.request AS r
    JOIN account_total AS t USING (account_id)
    LEFT JOIN night.asked_again AS e ON e.account_id = r.account_id AND e.prompt_hash = r.prompt_hash
    WHERE r.day = $day AND r.prompt_hash IS NOT NULL
      AND (coalesce(r.attempt, 1) <= 1 OR t.n_retries = 0)
    GROUP BY r.account_id
),
family AS (
    SELECT fa.account_id, max(fa.n_requests) AS top_requests, count(*) AS n_families,
           arg_max(f.n_nights, (fa.n_requests, f.family_id)) AS top_nights,
           sum(fa.n_shared_items) / nullif(sum(fa.n_items), 0) AS shared_item_share,
           -- an empty skeleton: nobody read what the template demands
           count(*) FILTER (WHERE f.skeleton <> '') AS n_read,
           coalesce(sum(fa.n_requests) FILTER (WHERE f.contract <> ''), 0) AS contract_requests
    FROM night.family_account AS fa
    JOIN night.family AS f USING (day, family_id)
    WHERE fa.day = $day AND f.kind = 'prompt'
    GROUP BY fa.account_id
),
account AS (
    SELECT
        account_id,
        CASE WHEN created_at::DATE <= $day THEN created_at::DATE END AS made_on,
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
    s.volume_peer_z,
    s.volume_plan_z,
    -- timing
    t.first_sent_at,
    t.last_sent_at,
    t.hour_mask,
    bit_count(t.hour_mask)::INTEGER AS active_hours,
    s.hour_counts,
    s.hour_entropy_bits,
    s.busiest_hour_share,
    s.busiest_hour_share * t.requests AS peak_requests_per_h,
    s.longest_pause_h,
    s.sleepless_hours,
    s.week_sleepless_hours,
    s.hour_shift_bits,
    s.median_gap_s,
    s.floor_gap_s,
    s.burstiness,
    -- templating
    t.n_prompts,
    s.prompt_distinct / nullif(s.prompt_known, 0) AS item_novelty,
    s.prompt_top / nullif(s.prompt_known, 0) AS top_item_share,
    s.prompt_repeated / nullif(s.prompt_known, 0) AS multi_sample_share,
    -- an account without a past has not been asked the question
    CASE WHEN p.nights_seen > 0 AND r.n_items > 0 THEN r.n_repeated / r.n_items END AS repeat_share,
    CASE WHEN t.n_prompts > 0 AND f.top_requests > 0
         THEN least(f.top_requests / t.n_prompts, 1) END AS top_family_share,
    if(f.top_requests > 0, f.top_nights, NULL) AS top_family_nights,
    f.n_families,
    f.shared_item_share,
    nullif(s.system_distinct, 0) AS n_systems,
    s.system_top / nullif(s.system_known, 0) AS top_system_share,
    -- targeting
    nullif(s.capability_value, 0)::INTEGER - 1 AS top_capability,
    s.capability_top / nullif(s.capability_known, 0) AS top_capability_share,
    s.capability_concentration,
    if(s.capability_known > 0, s.capability_counts, NULL) AS capability_counts,
    s.capability_shift_bits,
    s.capability_concentration - w.concentration AS capability_narrowing,
    t.reasoning_trace_share,
    t.preference_labels_share,
    t.instruction_generation_share,
    t.trajectory_share,
    t.safety_rewrite_share,
    t.trace_cleaning_share,
    t.any_technique_share,
    t.training_share,
    if(t.n_answered_prompts > 0, t.n_refused_items / nullif(s.prompt_distinct, 0), NULL) AS refused_item_share,
    t.image_share,
    nullif(t.n_models, 0) AS n_models,
    t.new_model_share,
    t.new_model_lag_h,
    -- parameters
    nullif(s.parameters_distinct, 0) AS n_parameter_sets,
    s.parameters_top / nullif(s.parameters_known, 0) AS top_parameters_share,
    nullif(s.parameters_value, 0) AS top_parameters,
    if(s.parameters_known > 0, w.same_parameters, NULL) AS parameters_constancy,
    t.zero_temperature_share,
    CASE WHEN s.parameters_known > 0 THEN t.soft_label_share END AS soft_label_share,
    t.max_top_logprobs,
    CASE WHEN s.parameters_known > 0 THEN t.multi_choice_share END AS multi_choice_share,
    CASE WHEN s.parameters_known > 0 THEN t.choices_per_request END AS choices_per_request,
    s.median_max_tokens,
    t.thinking_share,
    -- conversation
    t.single_turn_share,
    s.median_turns,
    s.session_distinct / nullif(s.session_known, 0) AS sessions_per_request,
    t.tools_share,
    nullif(s.toolset_distinct, 0) AS n_toolsets,
    -- economy
    t.output_tokens_mean,
    t.output_ratio,
    t.reasoning_token_share,
    t.cached_token_share,
    t.length_stop_share,
    CASE WHEN s.parameters_known > 0 THEN t.structured_share END AS structured_share,
    CASE WHEN t.n_prompts > 0 AND f.n_read > 0
         THEN least(f.contract_requests / t.n_prompts, 1) END AS contract_share,
    t.refusal_share,
    t.error_share,
    -- fan-in
    nullif(s.end_user_distinct, 0) AS n_end_users,
    s.end_user_top / nullif(s.end_user_known, 0) AS top_end_user_share,
    nullif(s.script_distinct, 0) AS n_scripts,
    1 - s.script_top / nullif(s.script_known, 0) AS other_scripts_share,
    nullif(s.user_agent_distinct, 0) AS n_user_agents,
    nullif(s.client_distinct, 0) AS n_clients,
    if(s.user_agent_known > 0, s.client_agent_distinct / nullif(s.client_distinct, 0), NULL) AS agents_per_client,
    -- identity
    nullif(s.api_key_distinct, 0) AS n_api_keys,
    nullif(s.ip_distinct, 0) AS n_ips,
    nullif(s.asn_distinct, 0) AS n_asns,
    nullif(s.country_distinct, 0) AS n_countries,
    t.country_mismatch_share,
    -- lifecycle
    $day - a.made_on AS account_age_days,
    if(first_night IS NULL, NULL, coalesce(p.nights_seen, 0)) AS nights_seen,
    if(first_night IS NULL, NULL, coalesce($day - p.first_day, 0)) AS days_since_first_seen,
    $day - p.last_day - 1 AS dormant_days,
    -- a week: whoever rests for a weekend or a few days off is not dormant
    if($day - p.last_day - 1 >= 7, t.requests / nullif(p.usual_requests, 0), NULL) AS wake_ratio,
    t.requests / nullif(p.first_requests, 0) AS growth_ratio,
    -- made that day or the day before: an account opened late in the evening begins the next morning
    CASE WHEN coalesce(p.first_day, $day) - a.made_on <= 1
         THEN coalesce(p.first_requests, least(round(t.requests), 9e18)::BIGINT) END AS debut_requests,
    -- who was there on the first night of all may have been there before, unless it was made just then
    CASE WHEN p.first_day > first_night OR p.first_day - a.made_on <= 1
         THEN p.first_requests / nullif(greatest(p.most_requests, t.requests), 0) END AS first_night_share,
    CASE WHEN coalesce(b.first_burst, $day) >= a.made_on
         THEN coalesce(b.first_burst, $day) - a.made_on END AS first_burst_age_days,
    a.is_approved
FROM account_total AS t
JOIN account_sorted AS s USING (account_no)
CROSS JOIN workspace_past
LEFT JOIN past AS p USING (account_id)
LEFT JOIN recent AS w USING (account_id)
LEFT JOIN burst AS b USING (account_id)
LEFT JOIN repeated AS r USING (account_id)
LEFT JOIN family AS f USING (account_id)
LEFT JOIN account AS a USING (account_id)
ORDER BY t.account_id;
