-- accounts: the night's accounts as the campaign stage sees them, ascending. Takes $day.
WITH sent AS (                         -- the accounts file knows best who an account belongs to; else the requests say
    SELECT account_id, max(org_id) AS org_id,
           -- mean probability that a prompt asks for training material
           sum(training_permille) / (1000 * count(training_permille)) AS training_share
    FROM core.request WHERE day = $day GROUP BY account_id
)
SELECT
    f.account_id, f.n_requests::DOUBLE AS n_requests, coalesce(f.output_tokens, 0)::DOUBLE AS output_tokens,
    f.hour_counts, f.single_turn_share, sent.training_share, f.repeat_share,
    f.output_tokens_mean, f.account_age_days::DOUBLE AS account_age_days, f.new_model_share,
    f.zero_temperature_share, f.input_tokens / f.n_requests AS input_tokens_mean, f.shared_item_share, f.multi_sample_share,
    f.n_systems, f.structured_share, f.thinking_share, f.tools_share, f.n_end_users,
    s.score AS account_score,
    coalesce(a.org_id, sent.org_id) AS org_id, a.payment_fingerprint,
    coalesce(f.is_approved, false) AS is_approved,
    f.nights_seen::DOUBLE AS nights_seen, f.first_sent_at, f.last_sent_at
FROM night.account_day AS f
LEFT JOIN night.account_score AS s ON s.day = f.day AND s.account_id = f.account_id
LEFT JOIN core.account AS a ON a.account_id = f.account_id
LEFT JOIN sent ON sent.account_id = f.account_id
WHERE f.day = $day
ORDER BY f.account_id
