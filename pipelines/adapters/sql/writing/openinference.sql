-- openinference: canonical rows as spans of model calls, by OpenInference, bodies whole.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/otel.py.
-- One span per document; a collector writes many, which reads the same. Turns before the last say nothing.
SELECT [{
    'resource': {'attributes': list_filter([{'key': 'service.name', 'value': {'stringValue': project_id}}],
                                           lambda a: a.value.stringValue IS NOT NULL)},
    'scopeSpans': [{
        'scope': {'name': 'stillwatch.simulate'},
        'spans': [{
            'traceId': md5(coalesce(trace_id, request_id)),
            'spanId': left(md5(request_id), 16),
            'name': 'ChatCompletion',
            'kind': 3,
            'startTimeUnixNano': (epoch_us(ts) * 1000)::VARCHAR,
            'endTimeUnixNano': (epoch_us(ts) * 1000 + round(coalesce(latency_ms, 0) * 1e6)::BIGINT)::VARCHAR,
            'status': {'code': CASE WHEN status >= 400 THEN 2 ELSE 0 END},
            'attributes': list_transform(
                list_filter([
                    {'k': 'openinference.span.kind', 'kind': 'text', 'v': 'LLM'},
                    {'k': 'llm.model_name', 'kind': 'text', 'v': model},
                    {'k': 'llm.system', 'kind': 'text', 'v': provider},
                    {'k': 'input.mime_type', 'kind': 'text', 'v': 'application/json'},
                    {'k': 'input.value', 'kind': 'text', 'v': to_json({
                        'model': model,
                        'messages': list_concat(
                            CASE WHEN system_prompt IS NOT NULL THEN
                                [{'role': 'system', 'content': to_json(system_prompt)}] END,
                            list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                                'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END,
                                'content': to_json('-')}),
                            [{'role': 'user', 'content': to_json(list_concat(
                                [{'type': 'text', 'text': prompt}],
                                list_transform(range(coalesce(n_images, 0)), lambda i: {
                                    'type': 'image_url', 'text': NULL})))}]),
                        'tools': list_transform(tool_names, lambda name: {
                            'type': 'function', 'function': {'name': name}})})::VARCHAR},
                    {'k': 'llm.invocation_parameters', 'kind': 'text', 'v': to_json({
                        'temperature': temperature, 'top_p': top_p, 'max_tokens': max_tokens, 'n': n_choices,
                        'stream': stream, 'logprobs': top_logprobs IS NOT NULL, 'top_logprobs': top_logprobs,
                        'logit_bias': CASE WHEN n_logit_bias IS NOT NULL THEN to_json(map_from_entries(list_transform(
                            range(n_logit_bias), lambda i: {'k': i::VARCHAR, 'v': -100}))) END})::VARCHAR},
                    {'k': 'output.mime_type', 'kind': 'text', 'v': 'application/json'},
                    {'k': 'output.value', 'kind': 'text', 'v': to_json({
                        'id': provider_request_id, 'object': 'chat.completion',
                        'choices': [{'index': 0, 'message': {'role': 'assistant', 'content': response},
                            'finish_reason': CASE stop_reason WHEN 'tool' THEN 'tool_calls' WHEN 'filter' THEN 'content_filter' ELSE stop_reason END}]})::VARCHAR},
                    {'k': 'session.id', 'kind': 'text', 'v': session_id},
                    {'k': 'llm.token_count.prompt', 'kind': 'whole', 'v': input_tokens::VARCHAR},
                    {'k': 'llm.token_count.completion', 'kind': 'whole', 'v': output_tokens::VARCHAR},
                    {'k': 'llm.token_count.prompt_details.cache_read', 'kind': 'whole', 'v': cached_tokens::VARCHAR},
                    {'k': 'llm.token_count.completion_details.reasoning', 'kind': 'whole', 'v': reasoning_tokens::VARCHAR},
                    {'k': 'user.id', 'kind': 'text', 'v': account_id},
                    {'k': 'enduser.id', 'kind': 'text', 'v': end_user_id},
                    {'k': 'client.address', 'kind': 'text', 'v': ip},
                    {'k': 'geo.country.iso_code', 'kind': 'text', 'v': country},
                    {'k': 'user_agent.original', 'kind': 'text', 'v': user_agent},
                    {'k': 'tls.client.ja3', 'kind': 'text', 'v': client_fingerprint},
                    {'k': 'url.path', 'kind': 'text', 'v': endpoint},
                    {'k': 'http.response.status_code', 'kind': 'whole', 'v': status::VARCHAR}], lambda a: a.v IS NOT NULL),
                lambda a: {'key': a.k, 'value': CASE a.kind
                    WHEN 'number' THEN json_object('doubleValue', a.v::DOUBLE)
                    WHEN 'truth' THEN json_object('boolValue', a.v::BOOLEAN)
                    WHEN 'whole' THEN json_object('intValue', a.v)
                    WHEN 'list' THEN json_object('arrayValue', {'values': [{'stringValue': a.v}]})
                    ELSE json_object('stringValue', a.v) END})
        }]
    }]
}] AS resourceSpans
FROM request
