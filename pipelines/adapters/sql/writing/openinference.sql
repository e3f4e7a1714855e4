-- openinference: canonical rows as spans of model calls, by OpenInference, bodies whole.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/otel.py.
SELECT resource_spans(r, 'ChatCompletion', list_concat([
    {'k': 'openinference.span.kind', 'kind': 'text', 'v': 'LLM'},
    {'k': 'llm.model_name', 'kind': 'text', 'v': model},
    {'k': 'llm.system', 'kind': 'text', 'v': provider},
    {'k': 'input.mime_type', 'kind': 'text', 'v': 'application/json'},
    {'k': 'input.value', 'kind': 'text', 'v': to_json({
        'model': model, 'messages': chat_messages(r), 'tools': chat_tools(r)})::VARCHAR},
    {'k': 'llm.invocation_parameters', 'kind': 'text', 'v': to_json(struct_concat(chat_sampling(r), chat_manner(r)))::VARCHAR},
    {'k': 'output.mime_type', 'kind': 'text', 'v': 'application/json'},
    {'k': 'output.value', 'kind': 'text', 'v': to_json(chat_response(r))::VARCHAR},
    {'k': 'session.id', 'kind': 'text', 'v': session_id},
    {'k': 'llm.token_count.prompt', 'kind': 'whole', 'v': input_tokens::VARCHAR},
    {'k': 'llm.token_count.completion', 'kind': 'whole', 'v': output_tokens::VARCHAR},
    {'k': 'llm.token_count.prompt_details.cache_read', 'kind': 'whole', 'v': cached_tokens::VARCHAR},
    {'k': 'llm.token_count.completion_details.reasoning', 'kind': 'whole', 'v': reasoning_tokens::VARCHAR}],
    caller_attributes(r))) AS resourceSpans
FROM request AS r
