-- telemetry: macros over the attributes of OpenTelemetry spans, for sources/otel.py.
-- Loaded once into the database behind all readers, after bodies. Nothing here fails on what a span holds: texts that
-- should be JSON are parsed with TRY, and no map is built, whose keys would have to be unique.

-- An attribute's value, whatever its kind, as text; lists and key-value lists as their JSON.
CREATE MACRO attribute_text(v) AS
    coalesce(v.stringValue, v.intValue, v.doubleValue, v.boolValue, v.arrayValue::VARCHAR, v.kvlistValue::VARCHAR);
CREATE MACRO attribute_keys(attributes) AS list_transform(attributes, lambda a: a.key);
CREATE MACRO attribute_texts(attributes) AS list_transform(attributes, lambda a: attribute_text(a.value));
-- Of a list of texts the first; a single text is itself.
CREATE MACRO first_text_of(t) AS
    CASE WHEN starts_with(t, '{"values"') THEN CASE WHEN json_valid(t) THEN t ->> '$.values[0].stringValue' END
         WHEN starts_with(t, '["') THEN CASE WHEN json_valid(t) THEN t ->> '$[0]' END
         ELSE t END;

-- -- messages as one attribute: [{role, parts: [{type, content}]}], as JSON text or as nested key-value lists ----------

CREATE MACRO entry_of(entries, name) AS list_filter(entries, lambda e: e.key = name)[1].value;
CREATE MACRO parts_of_nested(parts) AS list_transform(parts, lambda p: {
    'type': entry_of(p.kvlistValue.values, 'type').stringValue,
    'modality': entry_of(p.kvlistValue.values, 'modality').stringValue,
    'content': entry_of(p.kvlistValue.values, 'content').stringValue});
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
                   lambda m: {'role': m.role, 'content': coalesce(m.parts, m.content)});
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

-- -- messages over numbered attributes: gen_ai.prompt.0.content, llm.input_messages.0.message.contents.1. ... ----------

CREATE MACRO number_pattern(name) AS concat(
    '^', name, '\.(\d{1,6})\.(?:message\.)?(role|content|contents\.(\d{1,6})\.message_content\.(text|image\.image\.url))$');
CREATE MACRO numbered(attributes, name) AS
    list_sort(list_transform(
        list_filter(attributes, lambda a: starts_with(a.key, concat(name, '.'))
                                          AND regexp_matches(a.key, number_pattern(name))),
        lambda a: {
            'n': regexp_extract(a.key, number_pattern(name), 1)::INTEGER,
            'part': CASE WHEN ends_with(a.key, '.role') THEN -1
                         ELSE coalesce(TRY_CAST(regexp_extract(a.key, number_pattern(name), 3) AS INTEGER), 0) END,
            'is_image': ends_with(a.key, '.url'),
            'said': attribute_text(a.value)}));
-- Sorted, a role comes before its parts: so the list of messages can be written as one JSON text in a single pass,
-- whatever the number of messages. The first message of it is nobody's and is left out.
CREATE MACRO numbered_messages(parts) AS
    CASE WHEN len(parts) > 0 THEN
        TRY(json_transform(
            concat('[{"content":[null', array_to_string(list_transform(parts, lambda p:
                CASE WHEN p.part = -1 THEN concat(']},{"role":', to_json(p.said), ',"content":[null')
                     WHEN p.is_image THEN ',{"type":"image"}'
                     ELSE concat(',{"type":"text","text":', to_json(p.said), '}') END), ''), ']}]'),
            '[{"role": "VARCHAR", "content": "JSON"}]'))[2:] END;
CREATE MACRO numbered_text(parts) AS
    joined(list_transform(list_filter(parts, lambda p: p.part >= 0 AND NOT p.is_image), lambda p: p.said));

-- -- messages as events of the span ------------------------------------------------------------------------------------

CREATE MACRO value_at(attributes, name) AS
    attribute_text(list_filter(attributes, lambda a: a.key = name)[1].value);
CREATE MACRO event_messages(events) AS
    CASE WHEN len(list_filter(events, lambda e: regexp_matches(e.name, '^gen_ai\.(system|user|assistant|tool)\.message$'))) > 0
         THEN list_transform(
             list_filter(events, lambda e: regexp_matches(e.name, '^gen_ai\.(system|user|assistant|tool)\.message$')),
             lambda e: {'role': split_part(e.name, '.', 2), 'content': to_json(value_at(e.attributes, 'content'))}) END;
CREATE MACRO event_text(events) AS
    joined(list_transform(list_filter(events, lambda e: e.name = 'gen_ai.choice'),
                          lambda e: value_at(e.attributes, 'content')));

CREATE MACRO n_span_images_of(messages) AS
    list_sum(list_transform(messages, lambda m: n_occurrences(m.content::VARCHAR, '"modality":"image')));
