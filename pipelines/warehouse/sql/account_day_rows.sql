-- account_day_rows: the counted requests of some accounts as numbers, for the loops over sorted rows.
-- Reads core.request and the temporary account_total. Takes $day, $first_no, $last_no (inclusive).
-- 0 stands for null: texts and parameter sets come as hashes, closed codes as code + 1.
SELECT
    t.account_no,
    epoch_us(r.sent_at) AS sent_at_us,
    r.n_turns::DOUBLE AS n_turns,
    r.max_tokens::DOUBLE AS max_tokens,
    coalesce(r.prompt_hash, 0::UBIGINT) AS prompt,
    coalesce(r.system_hash, 0::UBIGINT) AS system,
    coalesce(r.toolset_hash, 0::UBIGINT) AS toolset,
    coalesce(r.session_hash, 0::UBIGINT) AS session,
    coalesce(r.end_user_hash, 0::UBIGINT) AS end_user,
    if(r.api_key_id IS NULL, 0::UBIGINT, hash(r.api_key_id)) AS api_key,
    if(r.ip IS NULL, 0::UBIGINT, hash(r.ip)) AS ip,
    if(r.asn IS NULL, 0::UBIGINT, hash(r.asn)) AS asn,
    if(r.country IS NULL, 0::UBIGINT, hash(r.country)) AS country,
    if(r.user_agent IS NULL, 0::UBIGINT, hash(r.user_agent)) AS user_agent,
    if(r.client_fingerprint IS NULL, 0::UBIGINT, hash(r.client_fingerprint)) AS client,
    -- a client that names no program is one more program of that fingerprint; who names none at all is unknown,
    -- which account_day tells by n_user_agents
    if(r.client_fingerprint IS NULL, 0::UBIGINT, hash(r.client_fingerprint, r.user_agent)) AS client_agent,
    coalesce(r.script::UBIGINT + 1, 0::UBIGINT) AS script,
    coalesce(r.capability::UBIGINT + 1, 0::UBIGINT) AS capability,
    if(coalesce(r.temperature, r.top_p, r.max_tokens, r.n_choices, r.top_logprobs, r.n_logit_bias) IS NULL
           AND r.response_format IS NULL AND r.stream IS NULL AND r.thinking IS NULL,
       0::UBIGINT,
       hash(r.temperature, r.top_p, r.max_tokens, r.n_choices, r.top_logprobs, r.n_logit_bias,
            r.response_format, r.stream, r.thinking)) AS parameters
FROM core.request AS r
JOIN account_total AS t USING (account_id)
WHERE r.day = $day
  AND t.account_no BETWEEN $first_no AND $last_no
  -- an account of retries alone counts them, see account_day_totals
  AND (coalesce(r.attempt, 1) <= 1 OR t.n_retries = 0);
