-- nights: days with a verdict of any kind, oldest first. Takes $until.
SELECT day FROM (SELECT day FROM night.summary UNION SELECT day FROM night.candidate)
WHERE day <= $until ORDER BY day
