-- gathering_keys: which request each JSON line belongs to, and its place among the lines of that request.
-- Reads parsed (row_number, line, doc and the steps). doc_key and doc_place are the source's own (source.Gathering).
-- A line that names no request has no key.
SELECT row_number, line, doc IS NOT NULL AS is_read, doc_key AS key, coalesce(doc_place, 0)::BIGINT AS place
FROM parsed
