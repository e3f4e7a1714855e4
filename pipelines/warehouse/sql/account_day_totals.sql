-- account_day_totals: what one pass over a day's requests can add up, one row per account.
-- Reads core.request and core.account. Takes $day. Called by pipelines.features, which gives each account its number
-- (account_no, in the order of account_id) and adds what needs sorted rows.
--
-- A retry (attempt > 1) is the same request once more, so it does not count. An account that shows
-- nothing but retries is counted by them: otherwise a header would make a whole account invisible.
-- A share divides by the rows that say anything about it, so a column the log lacks gives null, not 0.
CREATE OR REPLACE TEMP TABLE account_total AS
WITH attempts AS (
    SELECT account_id, count(*) FILTER (WHERE attempt > 1) AS n_retries, min(coalesce(attempt, 1)) > 1 AS retries_only
    FROM core.request
    WHERE day = $day
    GROUP BY account_id
),
home AS (                              -- two letters on both sides, or nobody knows whether they differ
    SELECT account_id, upper(country) AS home_country FROM core.account WHERE length(country) = 2
),
counted AS (
    SELECT request.*, home_country,
           -- requests a row stands for, in thousandths: whole numbers add up to the same sum in any
           -- order of rows. The input refuses rates outside (0, 1]; one that slipped in counts as 1
           CASE WHEN sample_rate > 0 AND sample_rate <= 1
                THEN round(1000 / greatest(sample_rate, 1e-6))::HUGEINT ELSE 1000 END AS weight_milli
    FROM core.request AS request
    LEFT JOIN home USING (account_id)
    WHERE day = $day
      AND (coalesce(attempt, 1) <= 1 OR account_id IN (SELECT account_id FROM attempts WHERE retries_only))
),
late_model AS (                        -- models nobody used before the last two nights, and when somebody first did
    SELECT model, min(sent_at) AS first_sent_at
    FROM core.request
    WHERE day BETWEEN $day - 1 AND $day
      AND model IN (
          SELECT DISTINCT model FROM core.request WHERE day BETWEEN $day - 1 AND $day AND model IS NOT NULL
          EXCEPT
          SELECT DISTINCT model FROM core.request WHERE day < $day - 1
      )
    GROUP BY model
),
move AS (                              -- how soon each account was there
    SELECT r.account_id, min(epoch(r.sent_at) - epoch(m.first_sent_at)) / 3600 AS new_model_lag_h
    FROM core.request AS r JOIN late_model AS m USING (model)
    WHERE r.day BETWEEN $day - 1 AND $day
    GROUP BY r.account_id
),
workspace_past AS (
    SELECT count(*) > 0 AS has_earlier_models FROM (SELECT 1 FROM core.request WHERE day < $day - 1 LIMIT 1)
),
added AS (
    SELECT
        account_id,
        count(*) AS n_rows,
        sum(weight_milli) / 1000 AS requests,
        sum(input_tokens * weight_milli) / 1000 AS input_tokens,
        sum(output_tokens * weight_milli) / 1000 AS output_tokens,
        avg(output_tokens) AS output_tokens_mean,
        -- the ratio is of requests that tell both numbers
        sum(output_tokens) FILTER (WHERE input_tokens IS NOT NULL)
            / nullif(sum(input_tokens) FILTER (WHERE output_tokens IS NOT NULL), 0)
            AS output_ratio,
        -- parts of requests that tell both numbers; a row that claims more than the whole is cut to it
        sum(if(reasoning_tokens > output_tokens, output_tokens, reasoning_tokens))
            FILTER (WHERE output_tokens IS NOT NULL)
            / nullif(sum(output_tokens) FILTER (WHERE reasoning_tokens IS NOT NULL), 0)
            AS reasoning_token_share,
        sum(if(cached_tokens > input_tokens, input_tokens, cached_tokens))
            FILTER (WHERE input_tokens IS NOT NULL)
            / nullif(sum(input_tokens) FILTER (WHERE cached_tokens IS NOT NULL), 0)
            AS cached_token_share,
        min(sent_at) AS first_sent_at,
        max(sent_at) AS last_sent_at,
        bit_or(1::INTEGER << hour(sent_at)::INTEGER) AS hour_mask,
        count(prompt_hash) AS n_prompts,
        avg((technique = 1)::INTEGER) AS reasoning_trace_share,
        avg((technique = 2)::INTEGER) AS preference_labels_share,
        avg((technique = 3)::INTEGER) AS instruction_generation_share,
        avg((technique = 4)::INTEGER) AS trajectory_share,
        avg((technique = 5)::INTEGER) AS safety_rewrite_share,
        avg((technique = 9)::INTEGER) AS trace_cleaning_share,
        avg((technique <> 0)::INTEGER) AS any_technique_share,
        avg(training_permille) / 1000 AS training_share,
        -- a trick that is tried again is one trick
        count(DISTINCT prompt_hash) FILTER (WHERE stop_reason IN ('refusal', 'filter'))
            AS n_refused_items,
        count(stop_reason) FILTER (WHERE prompt_hash IS NOT NULL) AS n_answered_prompts,
        avg((n_images > 0)::INTEGER) AS image_share,
        avg((model IN (SELECT model FROM late_model))::INTEGER) FILTER (WHERE model IS NOT NULL)
            AS new_model_share,
        count(DISTINCT model) AS n_models,
        avg((temperature = 0)::INTEGER) AS zero_temperature_share,
        -- unset is unasked, not unknown: null only where the account never sets any parameter (below)
        avg((coalesce(top_logprobs, 0) > 0 OR coalesce(n_logit_bias, 0) > 0)::INTEGER) AS soft_label_share,
        max(top_logprobs) FILTER (WHERE top_logprobs > 0) AS max_top_logprobs,
        avg((coalesce(n_choices, 1) > 1)::INTEGER) AS multi_choice_share,
        avg(greatest(coalesce(n_choices, 1), 1)) AS choices_per_request,
        avg(thinking::INTEGER) AS thinking_share,
        avg((coalesce(response_format, 'text') <> 'text')::INTEGER) AS structured_share,
        avg((n_turns <= 1)::INTEGER) AS single_turn_share,
        avg((n_tools > 0)::INTEGER) AS tools_share,
        avg((stop_reason = 'length')::INTEGER) AS length_stop_share,
        avg((stop_reason IN ('refusal', 'filter'))::INTEGER) AS refusal_share,
        avg((status >= 400)::INTEGER) AS error_share,
        avg((upper(country) <> home_country)::INTEGER)
            FILTER (WHERE length(country) = 2) AS country_mismatch_share
    FROM counted
    GROUP BY account_id
)
SELECT
    (row_number() OVER (ORDER BY account_id) - 1)::INTEGER AS account_no,
    added.* REPLACE (if(has_earlier_models, new_model_share, NULL) AS new_model_share),
    if(retries_only, 0, n_retries) AS n_retries,
    if(has_earlier_models, new_model_lag_h, NULL) AS new_model_lag_h
FROM added CROSS JOIN workspace_past JOIN attempts USING (account_id) LEFT JOIN move USING (account_id)
ORDER BY account_id;
