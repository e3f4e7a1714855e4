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
       {
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
       } AS model_parameters,
       list_concat(
               CASE WHEN system_prompt IS NOT NULL THEN [{'role': 'system', 'content': to_json(system_prompt)}] END,
               list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                   'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END, 'content': to_json('-')}),
               [{'role': 'user', 'content': CASE WHEN coalesce(n_images, 0) = 0 THEN to_json(prompt)
                   ELSE to_json(list_concat(
                       [{'type': 'text', 'text': prompt, 'image_url': NULL}],
                       list_transform(range(n_images), lambda i: {
                           'type': 'image_url', 'text': NULL, 'image_url': {'url': 'https://img.example/1.png'}})))
                   END}]) AS messages,
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
       } AS response,
       {'litellm_overhead_time_ms': NULL} AS hidden_params
FROM request
