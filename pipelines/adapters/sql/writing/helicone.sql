-- helicone: canonical rows as Helicone's table would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/helicone.py.
SELECT request_id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS request_created_at, provider_request_id AS response_id, account_id AS user_id,
       org_id AS organization_id, api_key_id AS proxy_key_id, status, latency_ms AS latency, model, upper(provider) AS provider,
       concat('https://llm.example', endpoint, '?x=1') AS target_url, country AS country_code,
       input_tokens AS prompt_tokens, output_tokens AS completion_tokens, cached_tokens AS prompt_cache_read_tokens,
       {'Helicone-Session-Id': session_id} AS properties,
       to_json(chat_request(r))::VARCHAR AS request_body,
       to_json(chat_response(r))::VARCHAR AS response_body
FROM request AS r
