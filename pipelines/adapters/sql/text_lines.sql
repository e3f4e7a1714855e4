-- text_lines: macros over lines that servers write for people, for sources/vllm.py.
-- Loaded once into the database behind all readers, after bodies. Nothing here fails on what a line holds.

-- What a line has before the first quote: a server quotes whatever a client wrote, so this is the server's own.
CREATE MACRO said_by_server(t) AS split_part(split_part(t, '''', 1), '"', 1);
-- What a logger writes before the message: level, time, place; nobody's prompt reaches into it.
CREATE MACRO before_message(t) AS left(t, 120);
-- When a line was written: in full, as container runtimes have it before each line, or as vLLM does, without a year.
-- No line is younger than its file.
CREATE MACRO with_year(month_and_time, written) AS
    CASE WHEN left(written, 5) || left(month_and_time, 5) > written
         THEN (left(written, 4)::INTEGER - 1)::VARCHAR || '-' || month_and_time
         ELSE left(written, 5) || month_and_time END;
CREATE MACRO time_of_line(t, written) AS
    coalesce(nullif(regexp_extract(before_message(t),
                        '\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?'), '').replace(',', '.'),
             with_year(nullif(regexp_extract(before_message(t), '\b\d\d-\d\d \d\d:\d\d:\d\d\b'), ''), written));

-- A text as Python shows it, in quotes of either kind, as itself. What JSON writes otherwise is put so, backslashes that are
-- meant aside meanwhile; most texts have none of that, many no backslash at all. To be given a column: named often.
CREATE MACRO as_json_text(shown) AS CASE
    WHEN contains(shown, '\\') OR contains(shown, '\x') OR contains(shown, '\''')
    THEN replace(replace(regexp_replace(replace(replace(shown, '\\', chr(1)), '\''', ''''), '\\x([0-9a-f]{2})', '\\u00\1', 'g'),
                         '"', '\"'), chr(1), '\\')
    ELSE replace(shown, '"', '\"') END;
CREATE MACRO text_of_repr(t) AS CASE WHEN regexp_matches(t, '^[''"]') THEN
    CASE WHEN contains(t, '\') THEN json_extract_string(TRY(concat('"', as_json_text(t[2:-2]), '"')::JSON), '$')
         ELSE t[2:-2] END END;

-- A parameter of SamplingParams(...); None is absent.
CREATE MACRO sampling_param(params, name) AS
    nullif(nullif(regexp_extract(params, concat('[(, ]', name, '=([^,)]*)'), 1), ''), 'None');
