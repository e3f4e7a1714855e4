-- portkey: canonical rows as Portkey's export would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/portkey.py.
SELECT request_id AS id, trace_id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS created_at, provider AS ai_org, model AS ai_model,
       input_tokens AS req_units, output_tokens AS res_units, concat('https://llm.example', endpoint) AS request_url,
       'POST' AS request_method, status AS response_status_code, latency_ms AS response_time,
       CASE WHEN status < 400 THEN 1 ELSE 0 END AS is_success, api_key_id AS virtual_key, project_id AS workspace_slug,
       {'_user': account_id, 'tenant_id': org_id, 'session_id': session_id} AS metadata,
       {'body': {
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
           'stream': stream}} AS request,
       {'body': {
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
               'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}}} AS response
FROM request
