-- refused: refused rows by file, column and reason. Reads raw.reject, raw.file.
SELECT file.path, reject.column_name, reject.reason,
       count(*) AS n_rows, min(reject.row_number) AS first_row
FROM raw.reject AS reject JOIN raw.file AS file USING (file_id)
GROUP BY ALL
ORDER BY file.path, reject.column_name NULLS FIRST, reject.reason
