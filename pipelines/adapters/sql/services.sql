-- services: macros for what clouds and gateways write around bodies: names of failures, wrappings, access logs.
-- Loaded once into the database behind all readers, after bodies. Nothing here fails on what a record holds.

-- -- outcome -----------------------------------------------------------------------------------------------------------

-- The HTTP status that the name of an exception or of an error code stands for, of whichever library or service.
CREATE MACRO status_of_exception(name) AS
    CASE WHEN name IS NULL OR is_blank(name) THEN NULL
         WHEN whole_of_text(name) BETWEEN 100 AND 599 THEN whole_of_text(name)
         WHEN regexp_matches(name, '(?i:rate_?limit|throttl|quota|too_?many)') THEN 429
         WHEN regexp_matches(name, '(?i:authentication|unauthori[sz]ed|unrecognized_?client|invalid_?api_?key)') THEN 401
         WHEN regexp_matches(name, '(?i:permission|access_?denied|forbidden)') THEN 403
         WHEN regexp_matches(name, '(?i:not_?found)') THEN 404
         WHEN regexp_matches(name, '(?i:time_?out|timed_?out|deadline|cancel)') THEN 408
         WHEN regexp_matches(name, '(?i:bad_?request|invalid|validation|unprocessable|content_?filter)') THEN 400
         WHEN regexp_matches(name, '(?i:unavailable|overloaded|not_?ready)') THEN 503
         ELSE 500 END;

-- -- Converse (sources/bedrock.py) -------------------------------------------------------------------------------------

-- A part may be handed to a guardrail as {guardContent: {text: {text}}}: it is the prompt all the same.
CREATE MACRO with_guarded_text(messages) AS list_transform(messages, lambda m: {
    'role': m.role,
    'content': CASE WHEN contains(m.content::VARCHAR, '"guardContent"')
        THEN to_json(list_transform(
            TRY(json_transform(m.content, '[{"text": "VARCHAR", "image": "JSON", "guardContent": {"text": {"text": "VARCHAR"}}}]')),
            lambda p: {'text': coalesce(p.text, p.guardContent.text.text), 'image': p.image}))
        ELSE m.content END});

-- Cohere's question and what was said before it, as messages.
CREATE MACRO messages_of_cohere(history, message) AS
    CASE WHEN message IS NOT NULL
         THEN list_concat(list_transform(history, lambda turn: {
                  'role': CASE turn.role WHEN 'CHATBOT' THEN 'assistant' ELSE lower(turn.role) END,
                  'content': to_json(turn.message)}), [{'role': 'user', 'content': to_json(message)}]) END;

-- -- bodies in pieces (sources/azure_apim.py) ---------------------------------------------------------------------------

-- The texts among these, in the order of their numbers, of each number the first.
CREATE MACRO pieces_once(texts, numbers) AS list_transform(
    [list_filter(list_zip(texts, numbers), lambda piece: piece[1] IS NOT NULL)], lambda pieces:
        list_transform(
            list_filter(pieces, lambda piece, nth: coalesce(pieces[nth - 1][2] <> piece[2], true)),
            lambda piece: piece[1]))[1];

-- -- access logs (sources/nginx.py, envoy.py, kong.py) -------------------------------------------------------------------

-- An access log writes `-` where it has nothing.
CREATE MACRO dash_to_null(t) AS CASE WHEN t IN ('-', '') THEN NULL ELSE t END;
-- A path that a model is called by, of whichever provider; access logs hold health checks and pages as well.
CREATE MACRO is_model_path(path) AS regexp_matches(split_part(path, '?', 1),
    '(?i)(/(chat/completions|completions|responses|messages|embeddings|generate|chat|invoke|converse|invoke-with-response-stream|converse-stream)/?$|:(streamGenerateContent|generateContent|streamRawPredict|rawPredict)$)');
-- Whether a captured call asks a language model: no poll, no look at lists or health, no other model's work.
-- What is not known counts, for a gateway may call its paths as it likes.
CREATE MACRO is_other_path(path) AS regexp_matches(without_query(path), concat(
    '(?i)(/(embeddings|moderations|rerank|ocr|images/[a-z]+|audio/[a-z]+|models|count_tokens|input_tokens',
    '|input_items|cancel|health[a-z]*|livez|readyz|ready|live|liveness|readiness|ping|metrics|version',
    '|favicon\.ico)/?$|/(files|uploads|batches|vector_stores|fine_tuning|videos|health)(/|$)',
    '|/responses/resp_[^/]*$|/chat/completions/chatcmpl-[^/]*$|^/?$)'));
-- Clients write paths, and some gateways forgive a stray part of one: what was answered was asked, wherever.
CREATE MACRO is_question(method, path, has_messages, is_answered) AS
    CASE WHEN method <> 'POST' AND list_contains(
                  ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT', 'PATCH'], upper(method))
         THEN has_messages
         WHEN path IS NULL OR ends_with(path, '/completions') OR ends_with(path, '/responses')
              OR ends_with(path, '/messages') OR ends_with(path, '/chat') THEN true
         WHEN NOT is_other_path(path) THEN true
         ELSE has_messages AND is_answered END;
-- The peer itself, unless it is a balancer of ours: then whom that speaks for. Others may claim anything. A list of
-- forwarders grows at its end, what stands before the last that is not ours is a claim, and what is no address nobody.
CREATE MACRO is_inner_address(a) AS
    regexp_matches(a, '(?i)^((::ffff:)?(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.)|::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|unix:)');
CREATE MACRO is_address(a) AS
    regexp_matches(a, '^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}(:?[0-9]{1,3}(\.[0-9]{1,3}){3})?)(%[0-9a-zA-Z]{1,15})?$');
CREATE MACRO addresses_of(t) AS
    list_filter(list_transform(string_split(t, ','), lambda a: address_alone(trim(a))), lambda a: is_address(a));
CREATE MACRO address_spoken_for(t) AS
    list_transform([addresses_of(t)], lambda a: coalesce(list_filter(a, lambda x: NOT is_inner_address(x))[-1], a[1]))[1];
CREATE MACRO client_address(peer, forwarded) AS
    CASE WHEN NOT is_inner_address(peer) THEN peer
         ELSE coalesce(address_spoken_for(forwarded), CASE WHEN NOT starts_with(peer, 'unix:') THEN peer END) END;

-- What a plugin of Kong's logs of the model call that it proxied, in whatever namespace, or in none as the first ones
-- did; a transformer's calls are its own.
CREATE MACRO call_of_any_plugin(line, structure) AS
    list_filter(
        list_transform(list_zip(list_append(json_keys(line, '$.ai'), ''),
                                list_append(json_extract(line, '$.ai.*'), json_extract(line, '$.ai'))), lambda plugin:
            CASE WHEN NOT contains(plugin[1], 'transformer') THEN TRY(json_transform(plugin[2], structure)) END),
        lambda call: call.meta.provider_name IS NOT NULL)[1];

-- -- observability products (sources/langfuse.py, portkey.py, helicone.py) -----------------------------------------------

-- A value that may be JSON or a text that holds it, as that text; tables write JSON's null as a text.
CREATE MACRO opened_text(j) AS
    unless_it_is(CASE WHEN starts_with(j, '"') THEN json_extract_string(j, '$') ELSE j::VARCHAR END, 'null');
CREATE MACRO json_object_or_null(t) AS CASE WHEN starts_with(ltrim(t), '{') AND json_valid(t) THEN t END;
-- What an integration took for a call's input, as a request body: a body, a list of messages, or nothing of that kind.
CREATE MACRO body_of_input(t) AS
    CASE WHEN starts_with(ltrim(t), '[') THEN concat('{"messages":', t, '}') WHEN starts_with(ltrim(t), '{') THEN t END;
CREATE MACRO has_roles(messages) AS len(list_filter(messages, lambda m: m.role IS NOT NULL)) > 0;
CREATE MACRO path_of_url(u) AS split_part(regexp_replace(u, '^[a-z]+://[^/]*', ''), '?', 1);
-- Counts by kind may or may not have the special kinds within the plain one: the total tells.
CREATE MACRO counted_with(counted, other, total, special, more) AS
    CASE WHEN whole_of_text(total) = whole_of_text(counted) + whole_of_text(other) THEN counted
         ELSE plus_tokens(counted, special, more) END;
-- A JSON text that breaks off; given a name, for it may be cut out of a record.
CREATE MACRO is_cut_json(t) AS
    list_transform([t], lambda x: CASE WHEN is_json_text(x) THEN NOT json_valid(x) ELSE false END)[1];
-- What a failure's message says: the number in it, at its beginning or behind a word for it, else its words.
CREATE MACRO status_in_message(t) AS
    coalesce(nullif(regexp_extract(left(t, 500),
                 '(?i)(?:^|\b(?:code|status|status_?code|http(?:/[0-9.]+)?)[''"]?\s*[:=]?\s*)([45][0-9][0-9])\b', 1), ''),
             status_of_exception(replace(t, ' ', '_'))::VARCHAR);
-- What stands in the place of a text that was masked before it was sent.
CREATE MACRO is_mask(t) AS
    CASE WHEN strlen(t) > 64 OR strlen(t) < 4 THEN false
         ELSE regexp_full_match(trim(t), '(?i)[<\[*]+ *(?:fully )?(?:redacted|masked)[^<\[]*[>\]*]+|redacted[- ]by[- ]litellm.*|\*{4,}') END;
CREATE MACRO unless_mask(t) AS CASE WHEN is_mask(t) THEN NULL ELSE t END;
-- Messages whose content is in parts, as OpenTelemetry has them, in a list or in a body.
CREATE MACRO messages_in_parts(t) AS
    list_transform(
        TRY(from_json(CASE WHEN starts_with(ltrim(t), '[') THEN t ELSE t -> '$.messages' END,
                      '[{"role": "VARCHAR", "content": "JSON", "parts": "JSON"}]')),
        lambda m: {'role': m.role, 'content': coalesce(m.content, m.parts)});
-- An answer that is a list of messages: the last of them that is the model's.
CREATE MACRO answer_in_messages(t) AS
    content_text(list_filter(messages_in_parts(t), lambda m: m.role = 'assistant' OR m.role = 'model')[-1].content);
