-- otel: canonical rows as spans of model calls, by the GenAI conventions of 2026.
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
            'name': 'chat',
            'kind': 3,
            'startTimeUnixNano': (epoch_us(ts) * 1000)::VARCHAR,
            'endTimeUnixNano': (epoch_us(ts) * 1000 + round(coalesce(latency_ms, 0) * 1e6)::BIGINT)::VARCHAR,
            'status': {'code': CASE WHEN status >= 400 THEN 2 ELSE 0 END},
            'attributes': list_transform(
                list_filter([
                    {'k': 'gen_ai.operation.name', 'kind': 'text', 'v': 'chat'},
                    {'k': 'gen_ai.provider.name', 'kind': 'text', 'v': provider},
                    {'k': 'gen_ai.request.model', 'kind': 'text', 'v': model},
                    {'k': 'gen_ai.request.temperature', 'kind': 'number', 'v': temperature::VARCHAR},
                    {'k': 'gen_ai.request.top_p', 'kind': 'number', 'v': top_p::VARCHAR},
                    {'k': 'gen_ai.request.max_tokens', 'kind': 'whole', 'v': max_tokens::VARCHAR},
                    {'k': 'gen_ai.request.choice.count', 'kind': 'whole', 'v': n_choices::VARCHAR},
                    {'k': 'gen_ai.request.stream', 'kind': 'truth', 'v': stream::VARCHAR},
                    {'k': 'gen_ai.response.id', 'kind': 'text', 'v': provider_request_id},
                    {'k': 'gen_ai.response.finish_reasons', 'kind': 'list', 'v': CASE stop_reason WHEN 'tool' THEN 'tool_calls' WHEN 'filter' THEN 'content_filter' ELSE stop_reason END},
                    {'k': 'gen_ai.conversation.id', 'kind': 'text', 'v': session_id},
                    {'k': 'gen_ai.system_instructions', 'kind': 'text', 'v': CASE WHEN system_prompt IS NOT NULL THEN
                        to_json([{'type': 'text', 'content': system_prompt}])::VARCHAR END},
                    {'k': 'gen_ai.input.messages', 'kind': 'text', 'v': to_json(list_concat(
                        list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                            'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END,
                            'parts': [{'type': 'text', 'content': '-'}]}),
                        [{'role': 'user', 'parts': [{'type': 'text', 'content': prompt}]}]))::VARCHAR},
                    {'k': 'gen_ai.output.messages', 'kind': 'text', 'v': CASE WHEN response IS NOT NULL THEN to_json([{
                        'role': 'assistant', 'parts': [{'type': 'text', 'content': response}]}])::VARCHAR END},
                    {'k': 'gen_ai.tool.definitions', 'kind': 'text', 'v': to_json(list_transform(tool_names, lambda name: {'type': 'function', 'name': name}))::VARCHAR},
                    {'k': 'gen_ai.usage.input_tokens', 'kind': 'whole', 'v': input_tokens::VARCHAR},
                    {'k': 'gen_ai.usage.output_tokens', 'kind': 'whole', 'v': output_tokens::VARCHAR},
                    {'k': 'gen_ai.usage.cache_read.input_tokens', 'kind': 'whole', 'v': cached_tokens::VARCHAR},
                    {'k': 'gen_ai.usage.reasoning.output_tokens', 'kind': 'whole', 'v': reasoning_tokens::VARCHAR},
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
