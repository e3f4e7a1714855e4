-- gateway_messages: canonical rows as a gateway would have logged them, with Anthropic Messages bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/gateway.py.
SELECT request_id AS id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS ts, 'POST' AS method, endpoint AS path,
       status, latency_ms, attempt, account_id, org_id, project_id, api_key_id AS key_id, end_user_id, session_id,
       trace_id, ip AS client_ip, country, asn, client_fingerprint AS ja4, provider, sample_rate,
       {'user-agent': user_agent} AS headers,
       {
           'model': model,
           'max_tokens': max_tokens,
           'system': CASE WHEN system_prompt IS NOT NULL THEN [{'type': 'text', 'text': system_prompt}] END,
           'messages': list_concat(
               list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                   'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END, 'content': to_json('-')}),
               [{'role': 'user', 'content': to_json(list_concat(
                   list_transform(range(coalesce(n_images, 0)), lambda i: {
                       'type': 'image', 'text': NULL, 'source': {'type': 'url', 'url': 'https://img.example/1.png'}}),
                   [{'type': 'text', 'text': prompt, 'source': NULL}]))}]),
           'temperature': temperature, 'top_p': top_p,
           'tools': list_transform(tool_names, lambda name: {'name': name, 'input_schema': {'type': 'object'}}),
           'thinking': CASE WHEN thinking IS NOT NULL THEN
               {'type': CASE WHEN thinking THEN 'enabled' ELSE 'disabled' END} END,
           'stream': stream
       } AS request,
       {
           'id': provider_request_id,
           'type': 'message',
           'role': 'assistant',
           'content': [{'type': 'text', 'text': response}],
           'stop_reason': CASE stop_reason WHEN 'stop' THEN 'end_turn' WHEN 'length' THEN 'max_tokens'
                                           WHEN 'tool' THEN 'tool_use' WHEN 'pause' THEN 'pause_turn'
                                           ELSE stop_reason END,
           'stop_details': CASE WHEN refusal_category IS NOT NULL THEN
               {'type': 'refusal', 'category': refusal_category} END,
           'usage': {
               'input_tokens': input_tokens - coalesce(cached_tokens, 0), 'cache_creation_input_tokens': 0,
               'cache_read_input_tokens': cached_tokens, 'output_tokens': output_tokens,
               'output_tokens_details': {'thinking_tokens': reasoning_tokens}}
       } AS response
FROM request
