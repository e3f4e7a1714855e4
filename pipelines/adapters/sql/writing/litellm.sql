-- litellm: canonical rows as LiteLLM hands them to its logging callbacks (StandardLoggingPayload).
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/litellm.py.
SELECT request_id AS id, trace_id, session_id, request_id AS litellm_call_id, 'acompletion' AS call_type, stream,
       CASE WHEN status >= 400 THEN 'failure' ELSE 'success' END AS status, provider AS custom_llm_provider,
       input_tokens + output_tokens AS total_tokens, input_tokens AS prompt_tokens,
       output_tokens AS completion_tokens, epoch_us(ts) / 1e6 AS "startTime",
       (epoch_us(ts) + round(latency_ms * 1e3)) / 1e6 AS "endTime", latency_ms / 1e3 AS response_time,
       model, model AS model_group, end_user_id AS end_user, ip AS requester_ip_address, user_agent,
       {
           'user_api_key_hash': api_key_id, 'user_api_key_user_id': account_id, 'user_api_key_org_id': org_id,
           'user_api_key_project_id': project_id, 'user_api_key_end_user_id': end_user_id,
           'user_api_key_request_route': endpoint, 'attempted_retries': attempt - 1,
           'requester_ip_address': ip, 'user_agent': user_agent,
           'requester_custom_headers': {'x-stainless-lang': client_fingerprint},
           'usage_object': {
               'prompt_tokens_details': {'cached_tokens': cached_tokens},
               'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}
       } AS metadata,
       {'error_code': CASE WHEN status >= 400 THEN status::VARCHAR ELSE '' END, 'error_class': '',
        'error_rate_limit_type': CASE WHEN status = 402 THEN 'budget' END} AS error_information,
       chat_parameters(r) AS model_parameters,
       chat_messages(r) AS messages,
       chat_response(r) AS response,
       {'litellm_overhead_time_ms': NULL} AS hidden_params
FROM request AS r
