-- earlier: families of earlier nights at their latest sighting. Takes $day, $kind, $nights.
SELECT family_id, shingles
FROM night.family
WHERE day < $day AND day >= $day - to_days($nights::INTEGER) AND kind = $kind
QUALIFY row_number() OVER (PARTITION BY family_id ORDER BY night.family.day DESC) = 1
ORDER BY family_id
