-- portkey: canonical rows as Portkey's export would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/portkey.py.
SELECT request_id AS id, trace_id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS created_at, provider AS ai_org, model AS ai_model,
       input_tokens AS req_units, output_tokens AS res_units, concat('https://llm.example', endpoint) AS request_url,
       'POST' AS request_method, status AS response_status_code, latency_ms AS response_time,
       CASE WHEN status < 400 THEN 1 ELSE 0 END AS is_success, api_key_id AS virtual_key, project_id AS workspace_slug,
       {'_user': account_id, 'tenant_id': org_id, 'session_id': session_id} AS metadata,
       {'body': chat_request(r)} AS request,
       {'body': chat_response(r)} AS response
FROM request AS r
