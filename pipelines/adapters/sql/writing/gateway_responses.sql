-- gateway_responses: canonical rows as a gateway would have logged them, with Responses bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/gateway.py.
SELECT request_id AS id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS ts, 'POST' AS method, endpoint AS path,
       status, latency_ms, attempt, account_id, org_id, project_id, api_key_id AS key_id, end_user_id, session_id,
       trace_id, ip AS client_ip, country, asn, client_fingerprint AS ja4, provider, sample_rate,
       {'user-agent': user_agent} AS headers,
       {
           'model': model,
           'instructions': system_prompt,
           'input': list_concat(
               list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                   'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END,
                   'content': [{'type': 'output_text', 'text': '-', 'image_url': NULL}]}),
               [{'role': 'user', 'content': list_concat(
                   [{'type': 'input_text', 'text': prompt, 'image_url': NULL}],
                   list_transform(range(coalesce(n_images, 0)), lambda i: {
                       'type': 'input_image', 'text': NULL, 'image_url': 'https://img.example/1.png'}))}]),
           'temperature': temperature, 'top_p': top_p, 'max_output_tokens': max_tokens, 'top_logprobs': top_logprobs,
           'text': CASE WHEN response_format <> 'tool' THEN {'format': {'type': response_format}} END,
           'tool_choice': CASE WHEN response_format = 'tool' THEN {'type': 'function'} END,
           'tools': list_transform(tool_names, lambda name: {'type': 'function', 'name': name}),
           'reasoning': CASE WHEN thinking IS NOT NULL THEN
               {'effort': CASE WHEN thinking THEN 'high' ELSE 'none' END} END,
           'stream': stream
       } AS request,
       {
           'id': provider_request_id,
           'object': 'response',
           'status': CASE stop_reason WHEN 'stop' THEN 'completed' WHEN 'tool' THEN 'completed'
                                      WHEN 'refusal' THEN 'completed' WHEN 'pause' THEN 'in_progress'
                                      WHEN 'error' THEN 'failed' WHEN 'other' THEN 'cancelled'
                                      ELSE 'incomplete' END,
           'incomplete_details': CASE stop_reason WHEN 'length' THEN {'reason': 'max_output_tokens'}
                                                  WHEN 'filter' THEN {'reason': 'content_filter'} END,
           'output': list_concat(
               CASE WHEN stop_reason = 'tool' THEN [{'type': 'function_call', 'content': NULL}] END,
               [{'type': 'message', 'content': [{
                   'type': CASE stop_reason WHEN 'refusal' THEN 'refusal' ELSE 'output_text' END, 'text': response}]}]),
           'usage': {
               'input_tokens': input_tokens, 'output_tokens': output_tokens,
               'input_tokens_details': {'cached_tokens': cached_tokens},
               'output_tokens_details': {'reasoning_tokens': reasoning_tokens}}
       } AS response
FROM request
