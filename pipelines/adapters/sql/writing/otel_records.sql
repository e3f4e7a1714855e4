-- otel_records: canonical rows as log records, each with all of a call, by the GenAI conventions of 2026.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/otel_records.py.
SELECT resource_logs(r, 'gen_ai.client.inference.operation.details', list_concat([
    {'k': 'gen_ai.operation.name', 'kind': 'text', 'v': 'chat'},
    {'k': 'gen_ai.provider.name', 'kind': 'text', 'v': provider},
    {'k': 'gen_ai.request.model', 'kind': 'text', 'v': model},
    {'k': 'gen_ai.request.temperature', 'kind': 'number', 'v': temperature::VARCHAR},
    {'k': 'gen_ai.request.top_p', 'kind': 'number', 'v': top_p::VARCHAR},
    {'k': 'gen_ai.request.max_tokens', 'kind': 'whole', 'v': max_tokens::VARCHAR},
    {'k': 'gen_ai.request.choice.count', 'kind': 'whole', 'v': n_choices::VARCHAR},
    {'k': 'gen_ai.request.stream', 'kind': 'truth', 'v': stream::VARCHAR},
    {'k': 'gen_ai.response.id', 'kind': 'text', 'v': provider_request_id},
    {'k': 'gen_ai.response.finish_reasons', 'kind': 'list', 'v': chat_finish_reason(r)},
    {'k': 'gen_ai.conversation.id', 'kind': 'text', 'v': session_id},
    {'k': 'gen_ai.system_instructions', 'kind': 'text', 'v':
        CASE WHEN system_prompt IS NOT NULL THEN to_json([{'type': 'text', 'content': system_prompt}])::VARCHAR END},
    {'k': 'gen_ai.input.messages', 'kind': 'text', 'v': to_json(list_concat(
        list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
            'role': turn_role(r, i), 'parts': [{'type': 'text', 'content': '-'}]}),
        [{'role': 'user', 'parts': [{'type': 'text', 'content': prompt}]}]))::VARCHAR},
    {'k': 'gen_ai.output.messages', 'kind': 'text', 'v': CASE WHEN response IS NOT NULL THEN to_json([{
        'role': 'assistant', 'parts': [{'type': 'text', 'content': response}]}])::VARCHAR END},
    {'k': 'gen_ai.tool.definitions', 'kind': 'text', 'v': to_json(
        list_transform(tool_names, lambda name: {'type': 'function', 'name': name}))::VARCHAR},
    {'k': 'gen_ai.usage.input_tokens', 'kind': 'whole', 'v': input_tokens::VARCHAR},
    {'k': 'gen_ai.usage.output_tokens', 'kind': 'whole', 'v': output_tokens::VARCHAR},
    {'k': 'gen_ai.usage.cache_read.input_tokens', 'kind': 'whole', 'v': cached_tokens::VARCHAR},
    {'k': 'gen_ai.usage.reasoning.output_tokens', 'kind': 'whole', 'v': reasoning_tokens::VARCHAR}],
    caller_attributes(r))) AS resourceLogs
FROM request AS r
