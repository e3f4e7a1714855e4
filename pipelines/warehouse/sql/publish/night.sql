-- night: one row per scanned night. Reads night.summary.
SELECT * FROM night.summary ORDER BY day
