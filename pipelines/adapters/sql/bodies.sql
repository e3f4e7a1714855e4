-- bodies: macros over request and response bodies of model APIs, for every source that carries them.
-- Loaded once into the database behind all readers, after casts. Structures: body_structures.py, as macros
-- request_structure(), response_structure() and chunk_structure().
--
-- The common case stands first in a CASE of its own, decided by what is cheap. CASE, not coalesce: what DuckDB
-- finds twice in an expression it computes for all rows beforehand, but of a CASE it looks at no more than the
-- first condition; what a branch names several times it computes as often, so a branch names a parsed text once.
-- list_contains, not IN: DuckDB plans a long IN as a join.
--
-- A value that a client chose (anything in a request body) never makes its row refused: where it cannot be read
-- it is absent. What the gateway or the provider wrote is handed on as text, for canonical.py to check.

-- -- values ----------------------------------------------------------------------------------------

CREATE MACRO is_json_text(t) AS starts_with(ltrim(t), '{') OR starts_with(ltrim(t), '[');

CREATE MACRO whole_or_null(t) AS
    CASE WHEN whole_of_text(t) BETWEEN -2147483648 AND 2147483647 THEN whole_of_text(t)::INTEGER END;
CREATE MACRO number_or_null(t) AS
    CASE WHEN isfinite(TRY_CAST(t AS DOUBLE)) THEN TRY_CAST(t AS DOUBLE) END;

-- Milliseconds from one time to another, in whatever unit or spelling; absent when time runs back, which no unsigned
-- number can say.
CREATE MACRO ms_between(first_t, last_t) AS TRY_CAST(us_of_text(last_t) - us_of_text(first_t) AS UBIGINT) / 1e3;

-- Of a header with several values, logged as a list, the first.
CREATE MACRO first_value_of(t) AS
    CASE WHEN starts_with(t, '["') THEN CASE WHEN json_valid(t) THEN t ->> '$[0]' END ELSE t END;

-- The client's address as the outermost proxy saw it, without a port. What it writes when it knows none is no
-- address that many clients share; another word may be one under a pseudonym.
CREATE MACRO is_numeric(a) AS a >= '0' AND a < ':';
CREATE MACRO is_no_address(a) AS list_contains(['unknown', 'null', 'none', '-', ''], lower(a));
CREATE MACRO address_alone(a) AS
    CASE WHEN NOT contains(a, ':')
         THEN CASE WHEN is_numeric(a) THEN a WHEN is_no_address(a) THEN NULL ELSE a END
         WHEN starts_with(a, '[') THEN regexp_extract(a, '^\[([^\]]*)\]', 1)
         WHEN regexp_matches(a, '^[0-9.]+:[0-9]+$') THEN split_part(a, ':', 1)
         ELSE a END;
CREATE MACRO first_address(t) AS
    CASE WHEN NOT contains(t, ',') THEN address_alone(trim(t))
         WHEN is_numeric(t) THEN address_alone(trim(split_part(t, ',', 1)))
         ELSE list_filter(list_transform(string_split(t, ','), lambda a: address_alone(trim(a))),
                          lambda a: a IS NOT NULL)[1] END;

-- Which attempt this is: clients count the retries they have made, so 1 is the second attempt.
CREATE MACRO attempt_of_retries(t) AS (1 + whole_or_null(t))::VARCHAR;

CREATE MACRO without_query(path) AS CASE WHEN contains(path, '?') THEN split_part(path, '?', 1) ELSE path END;

-- A key is kept as what names it, never as what opens: anything that looks like a secret becomes its hash.
CREATE MACRO key_itself(t) AS regexp_replace(t, '^(?i:bearer|basic) +', '');
-- Its first letter tells most names apart from secrets, at a tenth of the regular expression's cost.
CREATE MACRO looks_secret(t) AS
    CASE WHEN length(t) >= 16 AND contains('bsrpxghaye', lower(left(t, 1)))
         THEN regexp_matches(t, '^(?i:bearer |basic |sk-|rk-|pk-|xai-|gsk_|hf_|aiza|akia|ya29\.|eyj)') END;
CREATE MACRO key_name(t) AS
    CASE WHEN looks_secret(t) THEN concat('sha256:', left(sha256(key_itself(t)), 32)) ELSE t END;
-- The key of a header that holds one: masked values name nobody.
CREATE MACRO key_of_header(t) AS
    CASE WHEN length(key_itself(t)) >= 16 AND NOT regexp_matches(t, '(?i:redact|mask|hidden|\*\*|\.\.\.|xxxx)')
         THEN concat('sha256:', left(sha256(key_itself(t)), 32)) END;

-- -- messages --------------------------------------------------------------------------------------

-- A message list from what may be a text, a list of messages or a single one.
CREATE MACRO messages_of(j) AS
    CASE WHEN starts_with(j, '[')
         THEN from_json(j, '[{"role": "VARCHAR", "content": "JSON"}]')
         WHEN starts_with(j, '"') THEN [{'role': 'user', 'content': j}] END;

-- The same from a text that need not be JSON.
CREATE MACRO messages_of_text(t) AS
    CASE WHEN starts_with(t, '[') THEN TRY(from_json(t, '[{"role": "VARCHAR", "content": "JSON"}]'))
         WHEN starts_with(t, '"') THEN messages_of(TRY(t::JSON)) END;

CREATE MACRO written(texts) AS list_filter(texts, lambda t: t <> '');
-- Texts joined by blank lines, the absent ones left out; null when there is none.
CREATE MACRO joined(texts) AS list_aggregate(written(texts), 'string_agg', chr(10) || chr(10));
CREATE MACRO part_text(p) AS
    CASE WHEN p.text IS NOT NULL THEN p.text
         WHEN p.type = 'text' AND starts_with(p.content, '"') THEN json_extract_string(p.content, '$') END;
CREATE MACRO parts_text(parts) AS joined(list_transform(parts, lambda p: part_text(p)));
-- Text of a message's content: a text, or its text parts joined by blank lines. Null where there is no text.
CREATE MACRO content_text(c) AS
    CASE WHEN starts_with(c, '"') THEN json_extract_string(c, '$')
         WHEN starts_with(c, '["') THEN array_to_string(from_json(c, '["VARCHAR"]'), chr(10) || chr(10))
         WHEN starts_with(c, '[') THEN parts_text(from_json(c, '[{"type": "VARCHAR", "text": "VARCHAR", "content": "JSON"}]'))
         WHEN starts_with(c, '{') THEN json_extract_string(c, '$.text') END;

CREATE MACRO is_system(role) AS role = 'system' OR role = 'developer';
CREATE MACRO of_users(messages) AS list_filter(messages, lambda m: m.role = 'user');
CREATE MACRO n_system(messages) AS len(list_filter(messages, lambda m: is_system(m.role)));
-- The last user message that has a text: a message of tool results alone is no turn of a person's.
CREATE MACRO last_user_text(messages) AS
    coalesce(CASE WHEN messages[-1].role = 'user' THEN content_text(messages[-1].content) END,
             list_filter(list_transform(of_users(messages), lambda m: content_text(m.content)),
                         lambda t: t IS NOT NULL)[-1]);
CREATE MACRO system_text(messages, instructions) AS
    CASE WHEN coalesce(n_system(messages), 0) = 0 THEN unless_it_is(content_text(instructions), '')
         WHEN n_system(messages) = 1 AND instructions IS NULL AND is_system(messages[1].role)
         THEN unless_it_is(content_text(messages[1].content), '')
         ELSE joined(list_concat([content_text(instructions)],
                                 list_transform(list_filter(messages, lambda m: is_system(m.role)),
                                                lambda m: content_text(m.content)))) END;
CREATE MACRO n_turns_of(messages) AS CASE WHEN messages IS NOT NULL THEN len(messages) - n_system(messages) END;

-- Inside a JSON string quotes are escaped, so these marks can only be keys of the body itself.
CREATE MACRO n_occurrences(t, mark) AS
    CASE WHEN contains(t, mark) THEN (strlen(t) - strlen(replace(t, mark, ''))) // strlen(mark) ELSE 0 END;
-- A search stops at every place where its first letter is: of `image` the m is rare, in texts and in what JSON adds.
CREATE MACRO names_image(t) AS contains(t, 'mage');
CREATE MACRO may_have_image(c) AS CASE WHEN starts_with(c, '[') THEN names_image(c::VARCHAR) ELSE false END;
-- Looked through as texts alone: a filter would copy the messages.
CREATE MACRO may_have_images(messages) AS
    list_contains(list_transform(messages, lambda m: may_have_image(m.content)), true);
CREATE MACRO n_images_of(messages) AS
    CASE WHEN NOT may_have_images(messages) THEN 0
         WHEN messages IS NOT NULL
         THEN list_sum(list_transform(messages, lambda m: n_occurrences(m.content::VARCHAR, '"type":"image')
                                              + n_occurrences(m.content::VARCHAR, '"type":"input_image"'))) END;

-- -- what was asked for ----------------------------------------------------------------------------

CREATE MACRO tool_names_of(tools, functions) AS
    CASE WHEN tools IS NOT NULL OR functions IS NOT NULL
         THEN list_filter(list_concat(
                  list_transform(tools, lambda t: coalesce(t.function.name, t.custom.name, t.name, t.type)),
                  list_transform(functions, lambda f: f.name)), lambda t: t IS NOT NULL) END;
CREATE MACRO n_keys(j) AS CASE WHEN starts_with(j, '{') THEN len(json_keys(j)) END;
CREATE MACRO truth_or_null(t) AS truth_of_text(t);

-- One id, alone or as {"id": ...}.
CREATE MACRO id_of(j) AS
    CASE WHEN starts_with(j, '{') THEN json_extract_string(j, '$.id')
         WHEN starts_with(j, '"') THEN json_extract_string(j, '$') END;

-- Agents write person, account and session into the one user id that Anthropic's metadata has, as one word or
-- as JSON: the person would be a new one with each session.
CREATE MACRO is_of_agent(t) AS starts_with(t, 'user_') OR starts_with(t, '{');
CREATE MACRO person_of_agent(t) AS
    CASE WHEN NOT is_of_agent(t) THEN t
         WHEN starts_with(t, 'user_') THEN split_part(t, '_session_', 1)
         WHEN json_valid(t) AND json_exists(t, '$.device_id')
         THEN concat('user_', t ->> '$.device_id', '_account_', t ->> '$.account_uuid')
         ELSE t END;
CREATE MACRO session_of_agent(t) AS
    CASE WHEN is_of_agent(t)
         THEN CASE WHEN contains(t, '_session_') THEN split_part(t, '_session_', 2)
                   WHEN json_valid(t) THEN t ->> '$.session_id' END END;

-- -- outcome ---------------------------------------------------------------------------------------

-- Every provider's word for why an answer ended, as one of ours; what is not listed is `other`.
CREATE MACRO stop_reason_of(raw) AS
    CASE WHEN raw IS NULL OR is_blank(raw) THEN NULL
         WHEN list_contains(['stop', 'end_turn', 'stop_sequence', 'completed', 'eos', 'eos_token', 'complete',
                             'finish'], lower(raw)) THEN 'stop'
         WHEN list_contains(['length', 'max_tokens', 'max_output_tokens', 'max_messages',
                             'model_context_window_exceeded'], lower(raw)) THEN 'length'
         WHEN list_contains(['tool', 'tool_calls', 'tool-calls', 'tool_call', 'function_call', 'tool_use'],
                            lower(raw)) THEN 'tool'
         WHEN list_contains(['pause', 'pause_turn', 'queued', 'in_progress', 'continuation'], lower(raw)) THEN 'pause'
         WHEN list_contains(['refusal', 'guardrail_intervened', 'safety', 'prohibited_content', 'blocklist',
                             'spii'], lower(raw)) THEN 'refusal'
         WHEN list_contains(['filter', 'content_filter', 'content-filter', 'content_filtered', 'recitation',
                             'model_armor', 'image_safety', 'image_prohibited_content', 'image_recitation'],
                            lower(raw)) THEN 'filter'
         WHEN list_contains(['error', 'failed'], lower(raw)) OR starts_with(lower(raw), 'malformed_') THEN 'error'
         ELSE 'other' END;

-- Why there was no answer but an error body: what the provider's filter stopped is no mishap.
CREATE MACRO end_of_error(error) AS
    CASE WHEN contains(error::VARCHAR, 'content_')
              AND list_contains(['content_filter', 'content_policy_violation'], error ->> '$.code') THEN 'filter'
         ELSE 'error' END;

-- The HTTP status that an error body stands for, where the log has no status of its own.
CREATE MACRO status_of_error(kind, code) AS
    CASE WHEN whole_of_text(code) BETWEEN 400 AND 599 THEN whole_of_text(code)
         WHEN kind IN ('invalid_request_error') THEN 400
         WHEN kind IN ('authentication_error') OR code IN ('invalid_api_key') THEN 401
         WHEN kind IN ('permission_error') THEN 403
         WHEN kind IN ('not_found_error') OR code IN ('model_not_found') THEN 404
         WHEN kind IN ('request_too_large') THEN 413
         WHEN kind IN ('rate_limit_error', 'insufficient_quota', 'requests', 'tokens')
              OR code IN ('rate_limit_exceeded', 'insufficient_quota') THEN 429
         WHEN kind IN ('overloaded_error') THEN 529
         ELSE 500 END;

-- The text of an answer: its choices' (Chat Completions), its output's (Responses), its content's (Messages).
CREATE MACRO choice_text(c) AS
    CASE WHEN starts_with(c.message.content, '"') THEN json_extract_string(c.message.content, '$')
         ELSE coalesce(content_text(c.message.content), c.text) END;
CREATE MACRO answer_text(choices, output, content) AS
    CASE WHEN len(choices) = 1 THEN written(list_transform(choices, lambda c: choice_text(c)))[1]
         WHEN choices IS NULL AND output IS NULL AND len(content) = 1 THEN written(list_transform(content, lambda p: part_text(p)))[1]
         WHEN choices IS NULL AND content IS NULL AND len(output) = 1 AND len(output[1].content) = 1
         THEN written(list_transform(output[1].content, lambda p: part_text(p)))[1]
         ELSE joined(list_concat(list_concat(
                  list_transform(choices, lambda c: choice_text(c)),
                  list_transform(output, lambda o: parts_text(o.content))),
                  [parts_text(content)])) END;

-- -- token counts: input includes cached tokens, output includes reasoning ---------------------------

CREATE MACRO plus_tokens(counted, more, yet_more) AS
    coalesce((whole_of_text(counted) + coalesce(whole_of_text(more), 0) + coalesce(whole_of_text(yet_more), 0))::VARCHAR,
             counted);

-- -- streams ---------------------------------------------------------------------------------------

-- Server-sent events as a JSON array of their data; what is not JSON among them is left out.
CREATE MACRO events_as_json(t) AS
    concat('[', array_to_string(list_filter(
        regexp_extract_all(t, '(?m)^data: ?(\{.*\})\r?$', 1), lambda e: json_valid(e)), ','), ']');

CREATE MACRO chunks_of(t) AS from_json(t, chunk_structure());
CREATE MACRO last_written(values_of) AS list_filter(values_of, lambda v: v IS NOT NULL)[-1];
CREATE MACRO first_written(values_of) AS list_filter(values_of, lambda v: v IS NOT NULL)[1];
-- An event may be an error, or have one.
CREATE MACRO error_of(c) AS
    CASE WHEN c.error IS NOT NULL THEN c.error
         WHEN c.type = 'error' THEN json_object('type', c.type, 'code', c.code) END;
CREATE MACRO first_error(chunks) AS first_written(list_transform(chunks, lambda c: error_of(c)));

CREATE MACRO folded_choice(pieces) AS {
    'finish_reason': last_written(list_transform(pieces, lambda p: p.finish_reason)),
    'message': {
        'content': array_to_string(list_transform(pieces, lambda p: p.delta.content), ''),
        'refusal': nullif(array_to_string(list_transform(pieces, lambda p: p.delta.refusal), ''), '')}};
CREATE MACRO place_of(piece) AS CASE WHEN piece.index IS NULL THEN '0' ELSE piece.index END;
-- Several choices come by turns, each piece with the number of its own.
CREATE MACRO folded_pieces(pieces) AS
    CASE WHEN len(list_filter(pieces, lambda p: p.index <> '0')) = 0 THEN [folded_choice(pieces)]
         ELSE list_transform(
             list_sort(list_distinct(list_transform(pieces, lambda p: place_of(p)))),
             lambda place: folded_choice(list_filter(pieces, lambda p: place_of(p) = place))) END;
CREATE MACRO pieces_of(chunks) AS flatten(list_transform(chunks, lambda c: c.choices));
CREATE MACRO folded_choices(chunks) AS json_object(
    'id', first_written(list_transform(chunks, lambda c: c.id)),
    'object', 'chat.completion',
    'model', first_written(list_transform(chunks, lambda c: c.model)),
    'error', first_error(chunks),
    'usage', last_written(list_transform(chunks, lambda c: c.usage)),
    'choices', list_transform([pieces_of(chunks)], lambda pieces: folded_pieces(pieces))[1])::VARCHAR;

-- A JSON object without its fields that are null: in a patch they would take away what was said before.
CREATE MACRO without_nulls(j) AS
    CASE WHEN NOT contains(j::VARCHAR, ':null') THEN j
         ELSE to_json(map_from_entries(list_filter(
             list_transform(list_zip(json_keys(j), json_extract(j, '$.*')), lambda f: {'k': f[1], 'v': f[2]}),
             lambda f: f.v::VARCHAR <> 'null'))) END;
CREATE MACRO folded_messages(chunks) AS json_object(
    'id', first_written(list_transform(chunks, lambda c: c.message ->> '$.id')),
    'type', 'message',
    'model', first_written(list_transform(chunks, lambda c: c.message ->> '$.model')),
    'content', [{'type': 'text', 'text': array_to_string(list_transform(chunks, lambda c: c.delta.text), '')}],
    'stop_reason', last_written(list_transform(chunks, lambda c: c.delta.stop_reason)),
    'stop_details', last_written(list_transform(chunks, lambda c: c.delta.stop_details)),
    'error', first_error(chunks),
    'usage', json_merge_patch(
        coalesce(first_written(list_transform(chunks, lambda c: c.message -> '$.usage')), '{}'),
        coalesce(last_written(list_transform(chunks, lambda c: without_nulls(c.usage))), '{}')))::VARCHAR;
-- A Responses stream repeats the response at its end, whole; what it said of it before is that it had begun.
CREATE MACRO is_beginning(kind) AS
    list_contains(['response.created', 'response.queued', 'response.in_progress'], coalesce(kind, ''));
CREATE MACRO ended_responses(chunks) AS
    list_filter(chunks, lambda c: c.response IS NOT NULL AND NOT is_beginning(c.type));
-- Of one that broke off: how it began, its pieces of text, the error if it ended with one. Why it ended
-- otherwise nobody knows.
CREATE MACRO text_output(said) AS [{'type': 'message', 'content': [{'type': 'output_text', 'text': said}]}];
CREATE MACRO begun_response(begun, said, error) AS json_object(
    'id', begun ->> '$.id',
    'object', 'response',
    'model', begun ->> '$.model',
    'status', CASE WHEN error IS NOT NULL THEN 'failed'
                   WHEN said <> '' THEN NULL ELSE begun ->> '$.status' END,
    'error', error,
    'output', CASE WHEN said <> '' THEN text_output(said) END)::VARCHAR;
CREATE MACRO said_in(events) AS array_to_string(
    list_transform(from_json(events, '[{"type": "VARCHAR", "delta": "VARCHAR"}]'),
                   lambda e: CASE WHEN e.type = 'response.output_text.delta' THEN e.delta END), '');
CREATE MACRO folded_responses(chunks, events) AS
    CASE WHEN len(ended_responses(chunks)) > 0 THEN ended_responses(chunks)[-1].response::VARCHAR
         ELSE list_transform([said_in(events)], lambda said: begun_response(
             last_written(list_transform(chunks, lambda c: c.response)), said, first_error(chunks)))[1] END;
CREATE MACRO folded_chunks(chunks, events) AS
    CASE WHEN len(list_filter(chunks, lambda c: c.response IS NOT NULL)) > 0
         THEN folded_responses(chunks, events)
         WHEN len(list_filter(chunks, lambda c: c.message IS NOT NULL OR c.type = 'message_delta')) > 0
         THEN folded_messages(chunks)
         WHEN len(chunks) > 0 THEN folded_choices(chunks) END;
-- Both have a name by a list of one: each is used for every field of what comes of it.
CREATE MACRO folded_events(t) AS list_transform([t], lambda events:
    list_transform([chunks_of(events)], lambda chunks: folded_chunks(chunks, events))[1])[1];
-- A body that is a stream, as the one response it amounts to (JSON text); null when it is no stream.
CREATE MACRO folded(t) AS
    CASE WHEN starts_with(ltrim(t), '[') THEN CASE WHEN json_valid(t) THEN folded_events(t) END
         WHEN regexp_matches(t, '^\s*(?:event|data|id|retry|:)') THEN folded_events(events_as_json(t)) END;

-- -- bodies as structures --------------------------------------------------------------------------

-- Parsed from text; null when it is no JSON object.
CREATE MACRO request_of(t) AS
    CASE WHEN starts_with(ltrim(t), '{') THEN TRY(json_transform(t, request_structure())) END;
CREATE MACRO response_of(t) AS
    CASE WHEN starts_with(ltrim(t), '{') THEN TRY(json_transform(t, response_structure()))
         ELSE TRY(json_transform(folded(t), response_structure())) END;

-- -- LiteLLM -----------------------------------------------------------------------------------------

-- The middle of a long text cut out before it was stored. Marker: _truncated_for_db in LiteLLM's
-- spend_tracking_utils. A client that writes it into its own prompt calls a whole body cut, no more.
CREATE MACRO is_cut_by_litellm(t) AS contains(t, '(litellm_truncated skipped ');
CREATE MACRO is_redacted_by_litellm(content) AS
    starts_with(content, '"redacted') AND (content::VARCHAR = '"redacted-by-litellm"'
                                           OR starts_with(content, '"redacted by litellm.'));
-- A cached answer has the first answer's id and the time of the hit behind it.
CREATE MACRO without_cache_hit(t) AS
    CASE WHEN contains(t, '_cache_hit') THEN regexp_replace(t, '_cache_hit[0-9.]*$', '') ELSE t END;
-- The proxy's own administrator owns every key that was made without a user: a name for nobody.
CREATE MACRO person_of_litellm(t) AS nullif(nullif(t, 'default_user_id'), '');
-- A spent budget is 402, apart from the 429 of a rate limit: LiteLLM has the same number for both, or 400.
CREATE MACRO status_of_litellm(outcome, code, class, limit_type) AS
    CASE WHEN outcome IS NULL OR outcome <> 'failure' THEN 200
         WHEN limit_type = 'budget' OR class = 'BudgetExceededError' THEN 402
         WHEN whole_of_text(code) BETWEEN 400 AND 599 THEN whole_of_text(code)
         WHEN class = 'RateLimitError' THEN 429
         WHEN class = 'AuthenticationError' THEN 401
         WHEN class = 'Timeout' THEN 408
         ELSE 500 END;
-- Why a failed call ended, of whose answer nothing is kept.
CREATE MACRO stop_of_failure_in_litellm(outcome, class) AS
    CASE WHEN outcome = 'failure'
         THEN CASE WHEN class = 'ContentPolicyViolationError' THEN 'filter' ELSE 'error' END END;
-- What is no question to a language model: other models' work and housekeeping, alone or as LiteLLM's
-- asynchronous twin (aembedding, a_add_message). Unknown kinds count as questions.
CREATE MACRO is_model_call_of_litellm(call_type) AS
    CASE WHEN call_type IS NULL OR call_type = 'acompletion' THEN true ELSE NOT list_has_any([
        'embedding', 'moderation', 'rerank', 'image_generation', 'image_edit', 'transcription', 'speech', 'search',
        'create_batch', 'retrieve_batch', 'cancel_batch', 'create_file', 'file_retrieve', 'file_delete', 'file_list',
        'file_content', 'create_fine_tuning_job', 'get_assistants', 'create_assistants', 'delete_assistant',
        'create_thread', 'get_thread', 'add_message', 'get_messages', 'call_mcp_tool', 'list_mcp_tools',
        'get_responses', 'delete_responses', 'cancel_responses', 'list_input_items', 'count_tokens',
        'vector_store_search', 'vector_store_create', 'create_video', 'ocr'],
        [call_type, call_type[2:], call_type[3:]]) END;
-- The proxy asks every model now and then whether it answers, as a service account of its own. Told by key
-- and team: tags and the like are a client's to choose.
CREATE MACRO is_health_check_of_litellm(key, team) AS
    key IS NOT DISTINCT FROM 'litellm-internal-health-check'
    OR team IS NOT DISTINCT FROM 'litellm-internal-health-check';
