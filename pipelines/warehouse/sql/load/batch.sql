-- batch: one batch of fingerprinted requests becomes rows of core.request.
-- Reads the registered Arrow table `batch`. Hashes identities nobody needs to read. Takes $salt: whoever does not know
-- it cannot make two sets of tools look like one. CASE around hash: it makes a number of null, too, the same for all.
INSERT INTO core.request BY NAME
SELECT
    ts::DATE AS day, file_id, row_number, md5_number(request_id) AS request_key,
    ts::TIMESTAMP AS sent_at, account_id, org_id, project_id, api_key_id,
    CASE WHEN end_user_id IS NOT NULL THEN hash(end_user_id) END AS end_user_hash,
    CASE WHEN session_id IS NOT NULL THEN hash(session_id) END AS session_hash,
    attempt, provider, model, endpoint, n_turns,
    CASE WHEN len(tool_names) > 0
         THEN md5_number_lower($salt || array_to_string(list_sort(tool_names), chr(31))) END AS toolset_hash,
    len(tool_names) AS n_tools,
    n_images, temperature, top_p, max_tokens, n_choices, top_logprobs, n_logit_bias, stream, thinking,
    response_format, input_tokens, output_tokens, cached_tokens, reasoning_tokens, status, stop_reason,
    refusal_category, latency_ms, ip, country, asn, user_agent, client_fingerprint, body_state, sample_rate,
    prompt_hash, n_prompt_bytes, n_prompt_tokens, script, capability, technique, technique_margin,
    training_permille, shingles,
    system_hash, response_hash,
    CASE WHEN provider_request_id <> '' THEN hash(provider_request_id) END AS call_key, version
FROM batch
