-- langfuse: canonical rows as Langfuse's export of observations would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/langfuse.py.
SELECT request_id AS id, coalesce(trace_id, md5(request_id)) AS traceId, project_id AS projectId, 'GENERATION' AS type, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS startTime,
       strftime(ts + to_milliseconds(coalesce(latency_ms, 0)), '%Y-%m-%dT%H:%M:%S.%fZ') AS endTime, 'chat' AS name, model,
       {
           'temperature': temperature, 'top_p': top_p, 'max_completion_tokens': max_tokens, 'n': n_choices,
           'logprobs': top_logprobs IS NOT NULL, 'top_logprobs': top_logprobs,
           'logit_bias': CASE WHEN n_logit_bias IS NOT NULL THEN
               to_json(map_from_entries(list_transform(range(n_logit_bias), lambda i: {'k': i::VARCHAR, 'v': -100})))
               END,
           'response_format': CASE WHEN response_format <> 'tool' THEN {'type': response_format} END,
           'tool_choice': CASE WHEN response_format = 'tool' THEN {'type': 'function'} END,
           'reasoning_effort': CASE thinking WHEN true THEN 'high' WHEN false THEN 'none' END,
           'stream': stream} AS modelParameters,
       {
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
           'tools': list_transform(tool_names, lambda name: {'type': 'function', 'function': {'name': name}})} AS input,
       CASE WHEN response IS NOT NULL THEN {'role': 'assistant', 'content': response} END AS output,
       {'input': input_tokens, 'output': output_tokens, 'total': input_tokens + output_tokens,
        'input_cached_tokens': cached_tokens} AS usageDetails,
       CASE WHEN status >= 400 THEN 'ERROR' ELSE 'DEFAULT' END AS level, account_id AS userId, session_id AS sessionId
FROM request
