-- litellm_spend: canonical rows as LiteLLM_SpendLogs has them with store_prompts_in_spend_logs, none cut.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/litellm_spend.py.
SELECT request_id, 'acompletion' AS call_type, api_key_id AS api_key, 0.0 AS spend,
       input_tokens + output_tokens AS total_tokens, input_tokens AS prompt_tokens,
       output_tokens AS completion_tokens, strftime(ts, '%Y-%m-%dT%H:%M:%S.%f') AS "startTime",
       strftime(ts + to_microseconds(round(latency_ms * 1e3)::BIGINT), '%Y-%m-%dT%H:%M:%S.%f') AS "endTime",
       model, model AS model_group, provider AS custom_llm_provider, account_id AS "user",
       {
           'user_api_key_hash': api_key_id, 'user_api_key_user_id': account_id, 'user_api_key_org_id': org_id,
           'user_api_key_project_id': project_id, 'user_api_key_end_user_id': end_user_id,
           'user_api_key_request_route': endpoint, 'attempted_retries': attempt - 1,
           'requester_ip_address': ip, 'user_agent': user_agent,
           'status': CASE WHEN status >= 400 THEN 'failure' ELSE 'success' END,
           'error_information': {'error_code': CASE WHEN status >= 400 THEN status::VARCHAR ELSE '' END, 'error_class': '',
        'error_rate_limit_type': CASE WHEN status = 402 THEN 'budget' END},
           'usage_object': {
               'prompt_tokens_details': {'cached_tokens': cached_tokens},
               'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}
       } AS metadata,
       'False' AS cache_hit, org_id AS organization_id, end_user_id AS end_user, ip AS requester_ip_address,
       session_id, CASE WHEN status >= 400 THEN 'failure' ELSE 'success' END AS status,
       chat_request(r) AS proxy_server_request,
       chat_response(r) AS response
FROM request AS r
