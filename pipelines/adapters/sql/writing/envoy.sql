-- envoy: canonical rows as Envoy AI Gateway would have logged them, without bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/envoy.py.
SELECT strftime(ts, '%Y-%m-%dT%H:%M:%S.%gZ') AS start_time, 'POST' AS method, endpoint AS "x-envoy-origin-path",
       status AS response_code, '-' AS response_flags, 812 AS bytes_received, 1940 AS bytes_sent,
       round(latency_ms)::BIGINT AS duration, '-' AS "x-forwarded-for", coalesce(user_agent, '-') AS "user-agent",
       request_id AS "x-request-id", ip AS downstream_remote_address,
       account_id AS "account.id", coalesce(api_key_id, '-') AS "api_key.hash", coalesce(org_id, '-') AS "tenant.id",
       coalesce(model, '-') AS "gen_ai.request.model", coalesce(provider, '-') AS "gen_ai.provider.name",
       coalesce(input_tokens::VARCHAR, '-') AS "gen_ai.usage.input_tokens",
       coalesce(output_tokens::VARCHAR, '-') AS "gen_ai.usage.output_tokens",
       coalesce(cached_tokens::VARCHAR, '-') AS "gen_ai.usage.cached_input_tokens",
       coalesce(reasoning_tokens::VARCHAR, '-') AS "gen_ai.usage.reasoning_tokens",
       coalesce(session_id, '-') AS "session.id"
FROM request
