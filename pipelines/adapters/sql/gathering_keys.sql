-- gathering_keys: which request each JSON line belongs to, and its place among the lines of that request.
-- Reads block (row_number, line). Takes $structure. doc_key and doc_place are the source's own (source.Gathering).
-- A line that names no request stands alone; one that cannot be read has no key.
SELECT row_number, line,
       CASE WHEN doc IS NOT NULL THEN coalesce(doc_key, concat('row ', row_number)) END AS key,
       coalesce(doc_place, 0)::BIGINT AS place
FROM (
    SELECT row_number, line,
           CASE WHEN starts_with(ltrim(line, concat(' ', chr(9))), '{')
                THEN TRY(json_transform(line, $structure)) END AS doc
    FROM block
)
