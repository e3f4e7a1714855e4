-- families: those of the night, and those of earlier nights at their latest sighting, of one kind; tonight's first,
-- the most used first. Only those that were read: of a turn of phrase nothing is known to tie it by. Takes $day,
-- $kind, $nights, $most.
SELECT family_id, skeleton, coalesce(marks, []) AS marks, day AS seen_on
FROM night.family
WHERE day <= $day AND day >= $day - to_days($nights::INTEGER) AND kind = $kind AND skeleton <> ''
QUALIFY row_number() OVER (PARTITION BY family_id ORDER BY night.family.day DESC) = 1
ORDER BY seen_on DESC, n_accounts DESC, family_id
LIMIT $most
