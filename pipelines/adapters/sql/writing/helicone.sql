-- helicone: canonical rows as Helicone's table would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/helicone.py.
SELECT request_id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS request_created_at, provider_request_id AS response_id, account_id AS user_id,
       org_id AS organization_id, api_key_id AS proxy_key_id, status, latency_ms AS latency, model, upper(provider) AS provider,
       concat('https://llm.example', endpoint, '?x=1') AS target_url, country AS country_code,
       input_tokens AS prompt_tokens, output_tokens AS completion_tokens, cached_tokens AS prompt_cache_read_tokens,
       {'Helicone-Session-Id': session_id} AS properties,
       to_json({
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
           'stream': stream})::VARCHAR AS request_body,
       to_json({
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
               'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}})::VARCHAR AS response_body
FROM request
