-- text_records: each line of text as a JSON record of it, without the colours that terminals are sent.
-- Reads block (row_number, line). Takes $written, the day on which the file was last written. Called by textlines.
SELECT row_number, line FROM (
    SELECT row_number,
           to_json({'text line': CASE WHEN contains(line, chr(27)) THEN regexp_replace(line, '\x1b\[[0-9;]*m', '', 'g')
                                      ELSE line END,
                    'written': $written})::VARCHAR AS line,
           CASE WHEN line >= '!' THEN false ELSE trim(line, concat(' ', chr(9), chr(13), chr(0))) = '' END AS is_blank
    FROM block
)
WHERE NOT is_blank
