-- databricks: canonical rows as an inference table of Databricks would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/databricks.py.
SELECT request_id AS databricks_request_id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS request_time, status AS status_code,
       sample_rate AS sampling_fraction, latency_ms AS execution_duration_ms, project_id AS served_entity_id,
       account_id AS requester,
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
           'stream': stream})::VARCHAR AS request,
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
               'completion_tokens_details': {'reasoning_tokens': reasoning_tokens}}})::VARCHAR AS response
FROM request
