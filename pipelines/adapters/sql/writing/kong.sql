-- kong: canonical rows as Kong's log plugins would have written them, payloads switched on.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/kong.py.
SELECT {
           'id': request_id, 'uri': endpoint, 'method': 'POST', 'size': 812,
           'headers': {
               'user-agent': user_agent, 'authorization': 'REDACTED', 'x-stainless-lang': client_fingerprint,
               'x-stainless-retry-count': attempt::VARCHAR}
       } AS request,
       {'status': status, 'size': 1940, 'headers': {'content-type': 'application/json'}} AS response,
       {'kong': 4, 'request': latency_ms} AS latencies,
       {'id': api_key_id} AS authenticated_entity,
       {'custom_id': account_id} AS consumer,
       ip AS client_ip, epoch_ms(ts) AS started_at, project_id AS workspace,
       {'proxy': {
           'meta': {'plugin_id': 'p', 'provider_name': provider, 'request_model': model, 'llm_latency': latency_ms},
           'usage': {'prompt_tokens': input_tokens, 'completion_tokens': output_tokens},
           'payload': {
               'request': to_json({
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
                  'stream': stream})::VARCHAR,
               'response': to_json({
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
                      'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}})::VARCHAR}
       }} AS ai
FROM request
