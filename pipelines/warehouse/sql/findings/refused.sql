-- refused: refused rows by file, column and reason, most frequent first.
SELECT path, column_name, reason, n_rows, first_row
FROM refused ORDER BY n_rows DESC, path, column_name NULLS FIRST, reason
