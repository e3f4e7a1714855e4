-- writing_macros: what several formats write alike, for the SELECTs in writing: bodies, and the frame of spans.
-- Loaded by simulate before each of them. r is a row of request (canonical columns) as a struct.
-- Turns before the last are not known to a simulation, so they say nothing but that they are there.

CREATE MACRO turn_role(r, i) AS CASE WHEN (r.n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END;

-- -- Chat Completions ----------------------------------------------------------------------------------------------

CREATE MACRO chat_content(r) AS
    CASE WHEN coalesce(r.n_images, 0) = 0 THEN to_json(r.prompt)
         ELSE to_json(list_concat(
             [{'type': 'text', 'text': r.prompt, 'image_url': NULL}],
             list_transform(range(r.n_images), lambda i: {
                 'type': 'image_url', 'text': NULL, 'image_url': {'url': 'https://img.example/1.png'}}))) END;

CREATE MACRO chat_messages(r) AS list_concat(
    CASE WHEN r.system_prompt IS NOT NULL THEN [{'role': 'system', 'content': to_json(r.system_prompt)}] END,
    list_transform(range(coalesce(r.n_turns, 1) - 1), lambda i: {
        'role': turn_role(r, i), 'content': to_json('-')}),
    [{'role': 'user', 'content': chat_content(r)}]);

CREATE MACRO chat_tools(r) AS
    list_transform(r.tool_names, lambda name: {'type': 'function', 'function': {'name': name}});

CREATE MACRO chat_logit_bias(r) AS
    CASE WHEN r.n_logit_bias IS NOT NULL THEN to_json(map_from_entries(
        list_transform(range(r.n_logit_bias), lambda i: {'k': i::VARCHAR, 'v': -100}))) END;

CREATE MACRO chat_sampling(r) AS {
    'temperature': r.temperature, 'top_p': r.top_p, 'max_completion_tokens': r.max_tokens, 'n': r.n_choices,
    'logprobs': r.top_logprobs IS NOT NULL, 'top_logprobs': r.top_logprobs, 'logit_bias': chat_logit_bias(r),
    'response_format': CASE WHEN r.response_format <> 'tool' THEN {'type': r.response_format} END,
    'tool_choice': CASE WHEN r.response_format = 'tool' THEN {'type': 'function'} END};

CREATE MACRO chat_manner(r) AS {
    'reasoning_effort': CASE r.thinking WHEN true THEN 'high' WHEN false THEN 'none' END, 'stream': r.stream};

-- A request body without its model and messages.
CREATE MACRO chat_parameters(r) AS
    struct_concat(chat_sampling(r), {'tools': chat_tools(r)}, chat_manner(r));

CREATE MACRO chat_request(r) AS
    struct_concat({'model': r.model, 'messages': chat_messages(r)}, chat_parameters(r));

CREATE MACRO chat_finish_reason(r) AS
    CASE r.stop_reason WHEN 'tool' THEN 'tool_calls' WHEN 'filter' THEN 'content_filter' ELSE r.stop_reason END;

CREATE MACRO chat_response(r) AS {
    'id': r.provider_request_id,
    'object': 'chat.completion',
    'choices': [{
        'index': 0,
        'finish_reason': chat_finish_reason(r),
        'message': {'role': 'assistant', 'content': r.response}}],
    'usage': {
        'prompt_tokens': r.input_tokens, 'completion_tokens': r.output_tokens,
        'prompt_tokens_details': {'cached_tokens': r.cached_tokens},
        'completion_tokens_details': {'reasoning_tokens': r.reasoning_tokens}}};

-- -- Anthropic Messages --------------------------------------------------------------------------------------------

CREATE MACRO anthropic_messages(r) AS list_concat(
    list_transform(range(coalesce(r.n_turns, 1) - 1), lambda i: {'role': turn_role(r, i), 'content': to_json('-')}),
    [{'role': 'user', 'content': to_json(list_concat(
        list_transform(range(coalesce(r.n_images, 0)), lambda i: {
            'type': 'image', 'text': NULL, 'source': {'type': 'url', 'url': 'https://img.example/1.png'}}),
        [{'type': 'text', 'text': r.prompt, 'source': NULL}]))}]);

CREATE MACRO anthropic_request(r) AS {
    'max_tokens': r.max_tokens,
    'system': CASE WHEN r.system_prompt IS NOT NULL THEN [{'type': 'text', 'text': r.system_prompt}] END,
    'messages': anthropic_messages(r),
    'temperature': r.temperature, 'top_p': r.top_p,
    'tools': list_transform(r.tool_names, lambda name: {'name': name, 'input_schema': {'type': 'object'}}),
    'thinking': CASE WHEN r.thinking IS NOT NULL THEN
        {'type': CASE WHEN r.thinking THEN 'enabled' ELSE 'disabled' END} END};

CREATE MACRO anthropic_response(r) AS {
    'id': r.provider_request_id,
    'type': 'message',
    'role': 'assistant',
    'content': [{'type': 'text', 'text': r.response}],
    'stop_reason': CASE r.stop_reason WHEN 'stop' THEN 'end_turn' WHEN 'length' THEN 'max_tokens'
                                      WHEN 'tool' THEN 'tool_use' WHEN 'pause' THEN 'pause_turn'
                                      ELSE r.stop_reason END,
    'stop_details': CASE WHEN r.refusal_category IS NOT NULL THEN
        {'type': 'refusal', 'category': r.refusal_category} END,
    'usage': {
        'input_tokens': r.input_tokens - coalesce(r.cached_tokens, 0), 'cache_creation_input_tokens': 0,
        'cache_read_input_tokens': r.cached_tokens, 'output_tokens': r.output_tokens,
        'output_tokens_details': {'thinking_tokens': r.reasoning_tokens}}};

-- -- spans of OpenTelemetry ----------------------------------------------------------------------------------------

-- An attribute's text, typed as OTLP writes its kind.
CREATE MACRO span_value(kind, v) AS
    CASE kind WHEN 'number' THEN json_object('doubleValue', v::DOUBLE)
              WHEN 'truth' THEN json_object('boolValue', v::BOOLEAN)
              WHEN 'whole' THEN json_object('intValue', v)
              WHEN 'list' THEN json_object('arrayValue', {'values': [{'stringValue': v}]})
              ELSE json_object('stringValue', v) END;

-- resourceSpans with one span; a collector writes many, which reads the same. Of the attributes, given as
-- {k, kind, v}, those without a value are left out.
CREATE MACRO resource_spans(r, name, attributes) AS [{
    'resource': {'attributes': list_filter([{'key': 'service.name', 'value': {'stringValue': r.project_id}}],
                                           lambda a: a.value.stringValue IS NOT NULL)},
    'scopeSpans': [{
        'scope': {'name': 'stillwatch.simulate'},
        'spans': [{
            'traceId': md5(coalesce(r.trace_id, r.request_id)),
            'spanId': left(md5(r.request_id), 16),
            'name': name,
            'kind': 3,
            'startTimeUnixNano': (epoch_us(r.ts) * 1000)::VARCHAR,
            'endTimeUnixNano': (epoch_us(r.ts) * 1000 + round(coalesce(r.latency_ms, 0) * 1e6)::BIGINT)::VARCHAR,
            'status': {'code': CASE WHEN r.status >= 400 THEN 2 ELSE 0 END},
            'attributes': list_transform(list_filter(attributes, lambda a: a.v IS NOT NULL),
                                         lambda a: {'key': a.k, 'value': span_value(a.kind, a.v)})
        }]
    }]
}];

-- resourceLogs with one record of that call, its attributes given alike.
CREATE MACRO resource_logs(r, name, attributes) AS [{
    'resource': {'attributes': list_filter([{'key': 'service.name', 'value': {'stringValue': r.project_id}}],
                                           lambda a: a.value.stringValue IS NOT NULL)},
    'scopeLogs': [{
        'scope': {'name': 'stillwatch.simulate'},
        'logRecords': [{
            'timeUnixNano': (epoch_us(r.ts) * 1000)::VARCHAR,
            'eventName': name,
            'traceId': md5(coalesce(r.trace_id, r.request_id)),
            'spanId': left(md5(r.request_id), 16),
            'attributes': list_transform(list_filter(attributes, lambda a: a.v IS NOT NULL),
                                         lambda a: {'key': a.k, 'value': span_value(a.kind, a.v)})
        }]
    }]
}];

CREATE MACRO caller_attributes(r) AS [
    {'k': 'user.id', 'kind': 'text', 'v': r.account_id},
    {'k': 'enduser.id', 'kind': 'text', 'v': r.end_user_id},
    {'k': 'client.address', 'kind': 'text', 'v': r.ip},
    {'k': 'geo.country.iso_code', 'kind': 'text', 'v': r.country},
    {'k': 'user_agent.original', 'kind': 'text', 'v': r.user_agent},
    {'k': 'tls.client.ja3', 'kind': 'text', 'v': r.client_fingerprint},
    {'k': 'url.path', 'kind': 'text', 'v': r.endpoint},
    {'k': 'http.response.status_code', 'kind': 'whole', 'v': r.status::VARCHAR}];

-- -- Azure API Management ------------------------------------------------------------------------------------------

-- A body in pieces as the gateway logs it; a number of its own before them.
CREATE MACRO azure_pieces(body) AS
    list_transform(range((length(body) + 32767) // 32768), lambda i: substr(body, i * 32768 + 1, 32768));
CREATE MACRO azure_asked(r) AS azure_pieces(to_json(chat_messages(r))::VARCHAR);
CREATE MACRO azure_answered(r) AS
    coalesce(azure_pieces(CASE WHEN r.response IS NOT NULL THEN
        to_json([{'role': 'assistant', 'content': r.response}])::VARCHAR END), []);
-- The rows of the two tables that one call has: a head with the counts, the pieces, the gateway's own.
CREATE MACRO azure_rows(r) AS list_concat(
    [{'number': 0, 'asked': NULL, 'answered': NULL}],
    list_transform(azure_asked(r), lambda piece, i: {'number': i, 'asked': piece, 'answered': NULL}),
    list_transform(azure_answered(r), lambda piece, i: {
        'number': len(azure_asked(r)) + i, 'asked': NULL, 'answered': piece}),
    [{'number': NULL, 'asked': NULL, 'answered': NULL}]);

-- -- vLLM ----------------------------------------------------------------------------------------------------------

-- A text as Python shows it.
CREATE MACRO text_repr(t) AS
    CASE WHEN t IS NULL THEN 'None'
         ELSE concat('''', replace(replace(replace(t, '\', '\\'), '''', '\'''), chr(10), '\n'), '''') END;
