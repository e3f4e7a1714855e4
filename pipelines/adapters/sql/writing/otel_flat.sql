-- otel_flat: canonical rows as spans of model calls, by the attributes of 2024, one per message.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/otel.py.
SELECT resource_spans(r, 'openai.chat', list_concat([
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
    {'k': 'gen_ai.completion.0.finish_reason', 'kind': 'text', 'v': chat_finish_reason(r)},
    {'k': 'gen_ai.usage.prompt_tokens', 'kind': 'whole', 'v': input_tokens::VARCHAR},
    {'k': 'gen_ai.usage.completion_tokens', 'kind': 'whole', 'v': output_tokens::VARCHAR},
    {'k': 'gen_ai.usage.cache_read_input_tokens', 'kind': 'whole', 'v': cached_tokens::VARCHAR}],
    caller_attributes(r),
    CASE WHEN system_prompt IS NOT NULL THEN [
        {'k': 'gen_ai.prompt.0.role', 'kind': 'text', 'v': 'system'},
        {'k': 'gen_ai.prompt.0.content', 'kind': 'text', 'v': system_prompt}] END,
    flatten(list_transform(range(coalesce(n_turns, 1)), lambda i: [
        {'k': 'gen_ai.prompt.' || (i + CASE WHEN system_prompt IS NULL THEN 0 ELSE 1 END)::VARCHAR || '.role', 'kind': 'text',
         'v': CASE WHEN (coalesce(n_turns, 1) - i) % 2 = 0 THEN 'assistant' ELSE 'user' END},
        {'k': 'gen_ai.prompt.' || (i + CASE WHEN system_prompt IS NULL THEN 0 ELSE 1 END)::VARCHAR || '.content', 'kind': 'text',
         'v': CASE WHEN i = coalesce(n_turns, 1) - 1 THEN prompt ELSE '-' END}])))) AS resourceSpans
FROM request AS r
