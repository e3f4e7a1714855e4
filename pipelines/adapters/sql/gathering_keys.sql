-- gathering_keys: which request each JSON line belongs to, and its place among the lines of that request.
-- Reads parsed (row_number, line, doc and the steps). doc_key and doc_place are the source's own (source.Gathering).
-- A line that names no request stands alone; one that cannot be read has no key.
SELECT row_number, line,
       CASE WHEN doc IS NOT NULL THEN coalesce(doc_key, concat('row ', row_number)) END AS key,
       coalesce(doc_place, 0)::BIGINT AS place
FROM parsed
