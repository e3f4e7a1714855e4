-- telemetry: macros over the attributes of OpenTelemetry spans, for sources/otel.py.
-- Loaded once into the database behind all readers, after bodies. Nothing here fails on what a span holds: texts that
-- should be JSON are parsed with TRY, and no map is built, whose keys would have to be unique.

-- An attribute's value, whatever its kind, as text; lists and key-value lists as their JSON.
-- A blank one says nothing: LiteLLM writes blanks for all that it does not know.
CREATE MACRO attribute_text(v) AS
    CASE WHEN v.stringValue <> '' THEN v.stringValue
         ELSE coalesce(v.intValue, v.doubleValue, v.boolValue, v.arrayValue::VARCHAR,
                       v.kvlistValue::VARCHAR) END;
CREATE MACRO attribute_keys(attributes) AS list_transform(attributes, lambda a: a.key);
CREATE MACRO attribute_texts(attributes) AS list_transform(attributes, lambda a: attribute_text(a.value));
-- Of a list of texts the first; a single text is itself.
CREATE MACRO first_text_of(t) AS
    CASE WHEN starts_with(t, '{"values"') THEN CASE WHEN json_valid(t) THEN t ->> '$.values[0].stringValue' END
         WHEN starts_with(t, '["') THEN CASE WHEN json_valid(t) THEN t ->> '$[0]' END
         ELSE t END;

-- Of an operation that is none of the conventions' calls, in lower case: it may be one under a product's name
-- (acompletion of LiteLLM's, chat.completions). What goes on around calls would count them twice.
CREATE MACRO may_ask_model(operation) AS
    is_model_call_of_litellm(operation) AND NOT regexp_matches(operation,
        'agent|tool|chain|workflow|task|thread|handoff|guardrail|evaluat|retriev|rerank|memory|^plan');

-- LiteLLM writes the usage of a call as Python would print it.
CREATE MACRO counted_by_litellm(usage, name) AS
    CASE WHEN contains(usage, name)
         THEN unless_it_is(regexp_extract(usage, concat(name, chr(39), ': ([0-9]+)'), 1), '') END;

-- -- messages as one attribute: [{role, parts: [{type, content}]}], as JSON text or as nested key-value lists ----------

CREATE MACRO entry_of(entries, name) AS list_filter(entries, lambda e: e.key = name)[1].value;
CREATE MACRO parts_of_nested(parts) AS list_transform(parts, lambda p: {
    'type': entry_of(p.kvlistValue.values, 'type').stringValue,
    'modality': entry_of(p.kvlistValue.values, 'modality').stringValue,
    'content': coalesce(entry_of(p.kvlistValue.values, 'content').stringValue,
                        entry_of(p.kvlistValue.values, 'text').stringValue)});
CREATE MACRO nested_messages_of(t) AS
    list_transform(
        TRY(json_transform(t, '{"values": [{"kvlistValue": {"values": [{"key": "VARCHAR", "value": {
            "stringValue": "VARCHAR", "arrayValue": {"values": [{"kvlistValue": {"values": [
                {"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}]}}]}}}]}}]}')).values,
        lambda m: {
            'role': entry_of(m.kvlistValue.values, 'role').stringValue,
            'content': coalesce(to_json(parts_of_nested(entry_of(m.kvlistValue.values, 'parts').arrayValue.values)),
                                to_json(entry_of(m.kvlistValue.values, 'content').stringValue))});
CREATE MACRO written_messages_of(t) AS
    list_transform(TRY(json_transform(t, '[{"role": "VARCHAR", "parts": "JSON", "content": "JSON"}]')),
                   lambda m: {'role': m.role, 'content': CASE WHEN m.parts IS NULL THEN m.content ELSE m.parts END});
CREATE MACRO span_messages_of(t) AS
    CASE WHEN starts_with(ltrim(t), '[') THEN written_messages_of(t)
         WHEN starts_with(t, '{"values"') THEN nested_messages_of(t) END;
-- System instructions are parts without a message around them; anything else is a text.
CREATE MACRO instructions_of(t) AS
    CASE WHEN starts_with(t, '{"values"') THEN to_json(parts_of_nested(
             TRY(json_transform(t, '{"values": [{"kvlistValue": {"values": [
                 {"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}]}}]}')).values))
         WHEN starts_with(ltrim(t), '[') AND json_valid(t) THEN t::JSON
         ELSE to_json(t) END;

-- -- tools, as nested key-value lists and over numbered attributes ----------------------------------------

CREATE MACRO nested_tool_name(entries) AS
    coalesce(entry_of(entries, 'name').stringValue,
             entry_of(entry_of(entries, 'function').kvlistValue.values, 'name').stringValue,
             entry_of(entries, 'type').stringValue);
CREATE MACRO nested_tool_names(t) AS
    list_filter(list_transform(
        TRY(json_transform(t, '{"values": [{"kvlistValue": {"values": [{"key": "VARCHAR", "value": {
            "stringValue": "VARCHAR", "kvlistValue": {"values": [
                {"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}]}}}]}}]}')).values,
        lambda one: nested_tool_name(one.kvlistValue.values)), lambda name: name IS NOT NULL);
-- `tools` is named once: within a branch, what is named twice is parsed twice.
CREATE MACRO tools_of_definitions(t, tools) AS
    CASE WHEN starts_with(t, '{"values"') THEN nested_tool_names(t)
         ELSE list_filter(list_transform(tools, lambda one:
                  coalesce(one.function.name, one.custom.name, one.name, one.type)),
              lambda name: name IS NOT NULL) END;
-- A tool as its provider takes it; of OpenInference.
CREATE MACRO tool_name_of(t) AS
    CASE WHEN json_valid(t)
         THEN coalesce(t ->> '$.function.name', t ->> '$.name', t ->> '$.toolSpec.name', t ->> '$.type') END;
-- Null where no name can be read, for the tools are there.
CREATE MACRO numbered_tool_names(keys, texts) AS
    list_filter([list_filter(list_transform(list_zip(keys, texts), lambda a:
        CASE WHEN a[1] ^@ 'llm.request.functions.' AND ends_with(a[1], '.name') THEN a[2]
             WHEN a[1] ^@ 'llm.tools.' AND ends_with(a[1], '.json_schema') THEN tool_name_of(a[2]) END),
        lambda name: name IS NOT NULL)], lambda names: len(names) > 0)[1];

-- -- input.value and output.value of OpenInference --------------------------------------------------------

-- Messages of a body are good for something where one says who spoke what; beside messages over numbered
-- attributes (`n_asked` of these), roles alone are not.
CREATE MACRO tells_messages(messages, n_asked) AS
    list_contains(list_transform(messages, lambda m:
        m.role IS NOT NULL AND (m.content IS NOT NULL OR n_asked = 0)), true);
-- A text is a prompt, unless it is said to be JSON: then it is a list of messages, or was cut off.
CREATE MACRO messages_of_value(t, mime_type) AS
    CASE WHEN t IS NULL OR is_masked(t) THEN NULL
         WHEN mime_type = 'application/json' OR starts_with(t, '[{"') AND json_valid(t)
         THEN list_filter([messages_of_text(t)], lambda messages: has_roles(messages))[1]
         ELSE [{'role': 'user', 'content': to_json(t)}] END;
CREATE MACRO is_cut_value(t) AS
    CASE WHEN starts_with(t, '[') OR starts_with(t, '{') THEN NOT json_valid(t) ELSE false END;

-- What OpenInference and LiteLLM write in place of a text when told to hide it: one text of everybody's that
-- would tie all accounts together. Parts of a message are hidden one by one.
CREATE MACRO is_masked(t) AS
    CASE WHEN starts_with(t, '__REDACTED__') THEN trim(replace(t, '__REDACTED__', ''), chr(10)) = ''
         WHEN starts_with(t, 'redacted') THEN is_redacted_by_litellm(concat('"', t, '"'))
         ELSE false END;
CREATE MACRO unless_masked(t) AS CASE WHEN is_masked(t) THEN NULL ELSE t END;

-- -- messages over numbered attributes: gen_ai.prompt.0.content, llm.input_messages.0.message.contents.1. ... ----------

-- Of an attribute's key: it is one of the conversation's, however long that is. No other is ever looked up by name, so
-- these go aside first: to look for sixty names among hundreds of keys costs more than all else.
CREATE MACRO is_asked(key) AS coalesce(key ^@ 'gen_ai.prompt.' OR key ^@ 'llm.input_messages.', false);
-- Where the keys are just those of roles and texts by turns, in order, their texts are messages as they stand. A line
-- break in a key could stand for two keys; the last key tells, whose number is then too high.
CREATE MACRO are_lines_of(keys, lines, last_key) AS
    starts_with(lines, concat(array_to_string(keys, chr(10)), chr(10))) AND keys[-1] = last_key;
CREATE MACRO are_in_turns(keys) AS
    CASE WHEN len(keys) = 0 THEN false
         WHEN keys[1] = 'gen_ai.prompt.0.role'
         THEN are_lines_of(keys, lines_of_prompts(), concat('gen_ai.prompt.', len(keys) // 2 - 1, '.content'))
         ELSE are_lines_of(keys, lines_of_input_messages(),
                           concat('llm.input_messages.', len(keys) // 2 - 1, '.message.content')) END;
-- OpenLLMetry wrote lists of parts as their JSON, and says nowhere which texts are such; OpenInference never.
CREATE MACRO may_be_parts(keys, texts) AS
    CASE WHEN keys[1] ^@ 'gen_ai.prompt.'
         THEN list_contains(list_transform(texts, lambda t: starts_with(t, '[{"type": "')), true)
         ELSE false END;
CREATE MACRO are_parts(t) AS starts_with(t, '[{"type": "') AND ends_with(t, ']') AND json_valid(t);
-- Of a model's or a tool's messages nobody asks what they say, and they may be long.
CREATE MACRO messages_in_turns(texts) AS
    list_transform(list_zip(texts[1:-:2], texts[2:-:2]), lambda a:
        {'role': a[1], 'content': to_json(CASE WHEN a[2] <> '' AND (a[1] = 'user' OR is_system(a[1])) THEN a[2] END)});
-- Otherwise they are taken apart. `name` has one dot, so the number of a message is the third word of a key; what is no such key has no place.
CREATE MACRO place_of_words(w) AS
    CASE WHEN len(w) BETWEEN 4 AND 5 AND (len(w) = 4 OR w[4] = 'message') AND w[-1] = 'role' THEN -1
         WHEN len(w) BETWEEN 4 AND 5 AND (len(w) = 4 OR w[4] = 'message') AND w[-1] = 'content' THEN 0
         WHEN w[5] = 'contents' AND w[7] = 'message_content' AND w[-1] IN ('text', 'url')
         THEN CASE WHEN TRY_CAST(w[6] AS INTEGER) BETWEEN 0 AND 999999 THEN TRY_CAST(w[6] AS INTEGER) END END;
CREATE MACRO numbered(keys, texts, name) AS
    list_sort(list_filter(
        list_transform(
            list_transform(
                list_filter(list_zip(keys, texts), lambda a: starts_with(a[1], concat(name, '.'))),
                lambda a: {'words': string_split(a[1], '.'), 'said': a[2]}),
            lambda a: {
                'n': TRY_CAST(a.words[3] AS INTEGER),
                'part': place_of_words(a.words),
                'is_image': a.words[-1] = 'url',
                'said': a.said}),
        lambda p: p.n BETWEEN 0 AND 999999 AND p.part IS NOT NULL));
-- Sorted, a role comes before its parts. Where every message has a role and one text, they stand in pairs.
CREATE MACRO in_pairs(parts) AS list_zip(parts[1:-:2], parts[2:-:2]);
CREATE MACRO are_messages(pairs) AS
    len(list_filter(pairs, lambda a: (a[1].part = -1 AND a[2].part = 0 AND a[1].n = a[2].n AND NOT a[2].is_image)
                                     IS NOT TRUE)) = 0;
-- Otherwise the list of messages is written as one JSON text in a single pass, whatever their number. The first
-- message of it is nobody's and is left out.
CREATE MACRO written_by_parts(parts, may_be_lists) AS
    TRY(json_transform(
        concat('[{"content":[null', array_to_string(list_transform(parts, lambda p:
            CASE WHEN p.part = -1
                 THEN concat(']},{"role":', coalesce(to_json(p.said), 'null'), ',"content":[null')
                 WHEN p.is_image THEN ',{"type":"image"}'
                 WHEN may_be_lists AND are_parts(p.said)
                 THEN concat(',', substring(p.said, 2, length(p.said) - 2))
                 ELSE concat(',{"type":"text","text":', coalesce(to_json(p.said), 'null'), '}') END), ''),
            ']}]'),
        '[{"role": "VARCHAR", "content": "JSON"}]'))[2:];
CREATE MACRO numbered_messages(parts, may_be_lists) AS
    CASE WHEN len(parts) > 0 THEN list_transform([in_pairs(parts)], lambda pairs:
        CASE WHEN are_messages(pairs)
             THEN list_transform(pairs, lambda a: {'role': a[1].said, 'content':
                      CASE WHEN may_be_lists AND are_parts(a[2].said) THEN json_extract(a[2].said, '$')
                           ELSE to_json(a[2].said) END})
             ELSE written_by_parts(parts, may_be_lists) END)[1] END;
CREATE MACRO numbered_text(parts) AS
    joined(list_transform(list_filter(parts, lambda p: p.part >= 0 AND NOT p.is_image), lambda p: p.said));

-- -- messages as events of the span ------------------------------------------------------------------------------------

-- Lists of one and lambdas give a value a name: what stands in a macro twice is worked out twice, and planned twice.
CREATE MACRO value_at(attributes, name) AS
    list_transform(list_filter(attributes, lambda a: a.key = name)[:1], lambda a: attribute_text(a.value))[1];
-- A message's content: a text, or a list of parts. Told by its kind, never by how a text begins: that is the client's.
CREATE MACRO content_of_value(v) AS
    CASE WHEN v.arrayValue IS NOT NULL THEN to_json(parts_of_nested(
             TRY(json_transform(v.arrayValue, '{"values": [{"kvlistValue": {"values": [
                 {"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}]}}]}')).values))
         ELSE to_json(attribute_text(v)) END;
CREATE MACRO content_at(attributes, name) AS
    list_transform(list_filter(attributes, lambda a: a.key = name)[:1], lambda a: content_of_value(a.value))[1];
CREATE MACRO is_message_event(name) AS regexp_matches(name, '^gen_ai\.(system|user|assistant|tool)\.message$');
-- Azure's client writes a message as one JSON text.
CREATE MACRO told_at(attributes, path) AS
    list_transform([value_at(attributes, 'gen_ai.event.content')], lambda t:
        CASE WHEN starts_with(t, '{') AND json_valid(t) THEN json_extract(t, path) END)[1];
CREATE MACRO event_content(attributes) AS
    coalesce(content_at(attributes, 'content'), told_at(attributes, '$.content'));
CREATE MACRO event_messages(events) AS
    list_filter([list_transform(list_filter(events, lambda e: is_message_event(e.name)), lambda e:
                    {'role': split_part(e.name, '.', 2), 'content': event_content(e.attributes)})],
                lambda m: len(m) > 0)[1];
-- An answer's message that is a JSON text: one of a role, not an answer in JSON.
CREATE MACRO content_of_message(t) AS
    CASE WHEN starts_with(t, '{') AND json_valid(t) AND json_extract_string(t, '$.role') = 'assistant'
         THEN json_extract(t, '$.content') ELSE to_json(t) END;
-- The attributes of an answer's message.
CREATE MACRO choice_message(attributes) AS
    list_transform(list_filter(attributes, lambda a: a.key = 'message')[:1], lambda a: {
        'text': content_of_message(a.value.stringValue),
        'entries': TRY(json_transform(a.value.kvlistValue,
            '{"values": [{"key": "VARCHAR", "value": {"stringValue": "VARCHAR", "intValue": "VARCHAR",
                "doubleValue": "VARCHAR", "boolValue": "VARCHAR", "arrayValue": "JSON", "kvlistValue": "JSON"}}]}')).values})[1];
-- An answer's text: its content, or that of the message in it.
CREATE MACRO contents_of_choice(attributes) AS
    list_transform([choice_message(attributes)], lambda m:
        [content_at(attributes, 'content'), content_at(m.entries, 'content'), m.text])[1];
CREATE MACRO choice_text_at(attributes) AS
    coalesce(list_filter(list_transform(contents_of_choice(attributes), lambda c: content_text(c)),
                         lambda t: t IS NOT NULL)[1],
             list_transform([told_at(attributes, '$.message.content')], lambda c: content_text(c))[1]);
CREATE MACRO event_text(events) AS
    joined(list_transform(list_filter(events, lambda e: e.name = 'gen_ai.choice'), lambda e: choice_text_at(e.attributes)));
-- Conventions 1.27: all messages in one event, all answers in another.
CREATE MACRO text_of_event(events, event, name) AS
    value_at(list_filter(events, lambda e: e.name = event)[1].attributes, name);
CREATE MACRO messages_of_event(t, role) AS
    CASE WHEN starts_with(t, '[') THEN written_messages_of(t)
         WHEN t IS NOT NULL THEN [{'role': role, 'content': to_json(t)}] END;
CREATE MACRO prompt_event_messages(events) AS
    list_transform([text_of_event(events, 'gen_ai.content.prompt', 'gen_ai.prompt')],
                   lambda t: messages_of_event(t, 'user'))[1];
CREATE MACRO completion_event_text(events) AS
    joined(list_transform(
        list_transform([text_of_event(events, 'gen_ai.content.completion', 'gen_ai.completion')],
                       lambda t: messages_of_event(t, 'assistant'))[1],
        lambda m: content_text(m.content)));
CREATE MACRO refuses(messages) AS starts_with(messages[-1].content, '[{"type":"refusal"');
CREATE MACRO exception_of(events) AS
    value_at(list_filter(events, lambda e: e.name = 'exception')[1].attributes, 'exception.type');

-- -- log records beside the span (sources/otel_records.py) -------------------------------------------------------------

CREATE MACRO time_of_record(r) AS coalesce(nullif(r.timeUnixNano, '0'), r.observedTimeUnixNano);
-- LiteLLM has these names for one message each.
CREATE MACRO name_of_content(name, role) AS
    CASE WHEN name = 'gen_ai.content.completion' THEN 'gen_ai.choice'
         ELSE 'gen_ai.' || replace(role, 'developer', 'system') || '.message' END;
-- A body is a list of entries, or a JSON text of them.
CREATE MACRO text_entry(name, t) AS
    {'key': name, 'value': {'stringValue': t, 'intValue': NULL::VARCHAR, 'doubleValue': NULL::VARCHAR,
                            'boolValue': NULL::VARCHAR, 'arrayValue': NULL::JSON, 'kvlistValue': NULL::JSON}};
CREATE MACRO entries_of_body(body) AS
    CASE WHEN body.kvlistValue IS NOT NULL THEN body.kvlistValue.values
         WHEN starts_with(body.stringValue, '{') AND json_valid(body.stringValue)
         THEN [text_entry('content', json_extract_string(body.stringValue, '$.content')),
               text_entry('message', json_extract_string(body.stringValue, '$.message.content')),
               text_entry('finish_reason', json_extract_string(body.stringValue, '$.finish_reason')),
               text_entry('gen_ai.system_instructions', json_extract(body.stringValue, '$."gen_ai.system_instructions"')::VARCHAR),
               text_entry('gen_ai.input.messages', json_extract(body.stringValue, '$."gen_ai.input.messages"')::VARCHAR),
               text_entry('gen_ai.output.messages', json_extract(body.stringValue, '$."gen_ai.output.messages"')::VARCHAR)]
         WHEN body.stringValue IS NOT NULL THEN [text_entry('content', body.stringValue)] END;
CREATE MACRO messages_of_records(names, contents) AS
    list_filter([list_transform(list_filter(list_zip(names, contents), lambda e: is_message_event(e[1])), lambda e:
                    {'role': split_part(e[1], '.', 2), 'content': TRY(e[2]::JSON)})],
                lambda m: len(m) > 0)[1];

-- In a text of messages the word stands as it is, unless letters are escaped in it.
CREATE MACRO may_name_image(t) AS CASE WHEN names_image(t) THEN true ELSE contains(t, '\u00') END;
CREATE MACRO n_span_images_of(messages) AS
    list_sum(list_transform(messages, lambda m: n_occurrences(m.content::VARCHAR, '"modality":"image')));
