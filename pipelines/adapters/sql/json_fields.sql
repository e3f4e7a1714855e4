-- json_fields: the asked-for top-level fields of each JSON line, as text; nested values as JSON text.
-- Reads block (row_number, line). $structure, the fields as a JSON structure, is written in by lines.
-- Lines that hold no JSON object have is_read false; blank ones among them are told apart in Python,
-- because a clean file has neither.
SELECT row_number, fields IS NOT NULL AS is_read, true AS is_request, fields.*
FROM (
    SELECT row_number,
           CASE WHEN json_valid(line) AND begins_object(line)
                THEN json_transform(line, $structure) END AS fields
    FROM block
)
