-- otel_flat: canonical rows as spans of model calls, by the attributes of 2024, one per message.
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
            'name': 'openai.chat',
            'kind': 3,
            'startTimeUnixNano': (epoch_us(ts) * 1000)::VARCHAR,
            'endTimeUnixNano': (epoch_us(ts) * 1000 + round(coalesce(latency_ms, 0) * 1e6)::BIGINT)::VARCHAR,
            'status': {'code': CASE WHEN status >= 400 THEN 2 ELSE 0 END},
            'attributes': list_transform(
                list_filter(list_concat([
                    {'k': 'gen_ai.system', 'kind': 'text', 'v': provider},
                    {'k': 'llm.request.type', 'kind': 'text', 'v': 'chat'},
                    {'k': 'gen_ai.request.model', 'kind': 'text', 'v': model},
                    {'k': 'gen_ai.request.temperature', 'kind': 'number', 'v': temperature::VARCHAR},
                    {'k': 'gen_ai.request.top_p', 'kind': 'number', 'v': top_p::VARCHAR},
                    {'k': 'gen_ai.request.max_tokens', 'kind': 'whole', 'v': max_tokens::VARCHAR},
                    {'k': 'llm.is_streaming', 'kind': 'truth', 'v': stream::VARCHAR},
                    {'k': 'gen_ai.response.id', 'kind': 'text', 'v': provider_request_id},
                    {'k': 'session.id', 'kind': 'text', 'v': session_id},
                    {'k': 'gen_ai.completion.0.role', 'kind': 'text', 'v': 'assistant'},
                    {'k': 'gen_ai.completion.0.content', 'kind': 'text', 'v': response},
                    {'k': 'gen_ai.completion.0.finish_reason', 'kind': 'text', 'v': CASE stop_reason WHEN 'tool' THEN 'tool_calls' WHEN 'filter' THEN 'content_filter' ELSE stop_reason END},
                    {'k': 'gen_ai.usage.prompt_tokens', 'kind': 'whole', 'v': input_tokens::VARCHAR},
                    {'k': 'gen_ai.usage.completion_tokens', 'kind': 'whole', 'v': output_tokens::VARCHAR},
                    {'k': 'gen_ai.usage.cache_read_input_tokens', 'kind': 'whole', 'v': cached_tokens::VARCHAR},
                    {'k': 'user.id', 'kind': 'text', 'v': account_id},
                    {'k': 'enduser.id', 'kind': 'text', 'v': end_user_id},
                    {'k': 'client.address', 'kind': 'text', 'v': ip},
                    {'k': 'geo.country.iso_code', 'kind': 'text', 'v': country},
                    {'k': 'user_agent.original', 'kind': 'text', 'v': user_agent},
                    {'k': 'tls.client.ja3', 'kind': 'text', 'v': client_fingerprint},
                    {'k': 'url.path', 'kind': 'text', 'v': endpoint},
                    {'k': 'http.response.status_code', 'kind': 'whole', 'v': status::VARCHAR}],
                    CASE WHEN system_prompt IS NOT NULL THEN [
                        {'k': 'gen_ai.prompt.0.role', 'kind': 'text', 'v': 'system'},
                        {'k': 'gen_ai.prompt.0.content', 'kind': 'text', 'v': system_prompt}] END,
                    flatten(list_transform(range(coalesce(n_turns, 1)), lambda i: [
                        {'k': 'gen_ai.prompt.' || (i + CASE WHEN system_prompt IS NULL THEN 0 ELSE 1 END)::VARCHAR || '.role', 'kind': 'text',
                         'v': CASE WHEN (coalesce(n_turns, 1) - i) % 2 = 0 THEN 'assistant' ELSE 'user' END},
                        {'k': 'gen_ai.prompt.' || (i + CASE WHEN system_prompt IS NULL THEN 0 ELSE 1 END)::VARCHAR || '.content', 'kind': 'text',
                         'v': CASE WHEN i = coalesce(n_turns, 1) - 1 THEN prompt ELSE '-' END}]))), lambda a: a.v IS NOT NULL),
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
