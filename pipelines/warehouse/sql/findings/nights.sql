-- nights: every scanned night, latest first.
SELECT * FROM night ORDER BY day DESC
