-- gathering_documents: of each JSON line what its key and place are read from.
-- Reads block (row_number, line). $structure is written in by gathering, which puts the steps around it.
SELECT row_number, line,
       CASE WHEN begins_object(line) THEN TRY(json_transform(line, $structure)) END AS doc
FROM block
