-- gathered: one JSON document of all lines of a request, by place.
-- Reads block (row_number, line, key, place). Takes $most, how many lines one request may have.
SELECT min(row_number) AS row_number,
       concat('{"parts":[', array_to_string(list(line ORDER BY place, row_number)[:$most], ','), ']}') AS line
FROM block
GROUP BY key
ORDER BY row_number
