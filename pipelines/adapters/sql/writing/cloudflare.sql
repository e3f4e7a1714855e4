-- cloudflare: canonical rows as Cloudflare's AI Gateway lists them, without bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/cloudflare.py.
SELECT request_id AS id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS created_at, provider, model, endpoint AS path,
       latency_ms AS duration, status AS status_code, status < 400 AS success, false AS cached,
       input_tokens AS tokens_in, output_tokens AS tokens_out,
       to_json({'user_id': account_id, 'tenant_id': org_id})::VARCHAR AS metadata
FROM request
