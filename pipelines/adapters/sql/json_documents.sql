-- json_documents: each JSON line parsed once, into the structure its source declares.
-- Reads lines (row_number, line). Takes $structure. Called by reader, which puts a source's steps around it.
-- TRY, not json_valid first: that would parse every line twice for the sake of the few that are broken.
SELECT row_number, line, doc, doc IS NOT NULL AS is_read
FROM (
    SELECT row_number, line,
           CASE WHEN starts_with(ltrim(line, concat(' ', chr(9))), '{')
                THEN TRY(json_transform(line, $structure)) END AS doc
    FROM lines
)
