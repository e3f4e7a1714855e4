-- gateway_messages: canonical rows as a gateway would have logged them, with Anthropic Messages bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/gateway.py.
SELECT request_id AS id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS ts, 'POST' AS method, endpoint AS path,
       status, latency_ms, attempt, account_id, org_id, project_id, api_key_id AS key_id, end_user_id, session_id,
       trace_id, ip AS client_ip, country, asn, client_fingerprint AS ja4, provider, sample_rate,
       {'user-agent': user_agent} AS headers,
       struct_concat({'model': model}, anthropic_request(r), {'stream': stream}) AS request,
       anthropic_response(r) AS response
FROM request AS r
