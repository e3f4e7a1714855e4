-- account_day_past: the hours and capabilities of tonight's accounts on each of the nights before, to be added up.
-- Reads night.account_day and the temporary account_total. Takes $day and $nights. Called by pipelines.features.
SELECT t.account_no, $day - d.day AS nights_ago, d.hour_mask, d.hour_counts, d.capability_counts
FROM night.account_day AS d
JOIN account_total AS t USING (account_id)
WHERE d.day BETWEEN $day - $nights AND $day - 1
