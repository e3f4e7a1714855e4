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
       {
           'model': model,
           'messages': list_concat(
               CASE WHEN system_prompt IS NOT NULL THEN [{'role': 'system', 'content': to_json(system_prompt)}] END,
               list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                   'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END, 'content': to_json('-')}),
               [{'role': 'user', 'content': CASE WHEN coalesce(n_images, 0) = 0 THEN to_json(prompt)
                   ELSE to_json(list_concat(
                       [{'type': 'text', 'text': prompt, 'image_url': NULL}],
                       list_transform(range(n_images), lambda i: {
                           'type': 'image_url', 'text': NULL, 'image_url': {'url': 'https://img.example/1.png'}})))
                   END}]),
           'temperature': temperature, 'top_p': top_p, 'max_completion_tokens': max_tokens, 'n': n_choices,
           'logprobs': top_logprobs IS NOT NULL, 'top_logprobs': top_logprobs,
           'logit_bias': CASE WHEN n_logit_bias IS NOT NULL THEN
               to_json(map_from_entries(list_transform(range(n_logit_bias), lambda i: {'k': i::VARCHAR, 'v': -100})))
               END,
           'response_format': CASE WHEN response_format <> 'tool' THEN {'type': response_format} END,
           'tool_choice': CASE WHEN response_format = 'tool' THEN {'type': 'function'} END,
           'tools': list_transform(tool_names, lambda name: {'type': 'function', 'function': {'name': name}}),
           'reasoning_effort': CASE thinking WHEN true THEN 'high' WHEN false THEN 'none' END,
           'stream': stream
       } AS proxy_server_request,
       {
           'id': provider_request_id,
           'object': 'chat.completion',
           'choices': [{
               'index': 0,
               'finish_reason': CASE stop_reason WHEN 'tool' THEN 'tool_calls' WHEN 'filter' THEN 'content_filter'
                                                 WHEN 'error' THEN 'error' ELSE stop_reason END,
               'message': {'role': 'assistant', 'content': response}}],
           'usage': {
               'prompt_tokens': input_tokens, 'completion_tokens': output_tokens,
               'prompt_tokens_details': {'cached_tokens': cached_tokens},
               'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}
       } AS response
FROM request
