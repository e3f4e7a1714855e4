-- gemini: macros over bodies of Gemini's API, for sources/vertex.py.
-- Loaded once into the database behind all readers, after bodies.

CREATE MACRO is_media(p) AS
    coalesce(starts_with(coalesce(p.inlineData.mimeType, p.fileData.mimeType), 'image/'), false);
-- The model's own turns are called `model` there.
CREATE MACRO messages_of_contents(contents) AS list_transform(contents, lambda c: {
    'role': CASE c.role WHEN 'model' THEN 'assistant' ELSE coalesce(c.role, 'user') END,
    'content': to_json(list_transform(c.parts, lambda p: {'text': p.text}))});
CREATE MACRO n_media_of(contents) AS
    list_sum(list_transform(contents, lambda c: coalesce(len(list_filter(c.parts, lambda p: is_media(p))), 0)));
-- A streamed answer is a list of answers, a whole one the same with one element.
CREATE MACRO as_list_text(t) AS
    CASE WHEN starts_with(ltrim(t), '{') THEN concat('[', t, ']') WHEN starts_with(ltrim(t), '[') THEN t END;
-- Thoughts are no part of the answer.
CREATE MACRO candidate_text(c) AS
    nullif(array_to_string(list_transform(
        list_filter(c.content.parts, lambda p: coalesce(p.thought, 'false') <> 'true'), lambda p: p.text), ''), '');
CREATE MACRO gemini_answer_text(chunks) AS
    CASE WHEN len(chunks) = 1 THEN joined(list_transform(chunks[1].candidates, lambda c: candidate_text(c)))
         ELSE nullif(array_to_string(list_transform(chunks, lambda a: candidate_text(a.candidates[1])), ''), '') END;
CREATE MACRO calls_function(chunks) AS
    len(list_filter(chunks, lambda a:
        len(list_filter(a.candidates[1].content.parts, lambda p: p.functionCall IS NOT NULL)) > 0)) > 0;
