-- json_documents: each JSON line parsed once, into the structure its source declares.
-- Reads lines (row_number, line). Called by source.Source.over, which writes in $structure and puts
-- its steps around it; where a block may be trusted to hold nothing broken, without TRY, which costs a tenth.
-- TRY, not json_valid first: that would parse every line twice for the sake of the few that are broken. Of those
-- the text goes no further, so that no later expression trips over it.
SELECT row_number, doc, doc IS NOT NULL AS is_read, CASE WHEN doc IS NOT NULL THEN line END AS line
FROM (
    SELECT row_number, line,
           CASE WHEN begins_object(line)
                THEN TRY(json_transform(line, $structure)) END AS doc
    FROM lines
)
