-- family_tie: the night's ties. Reads the registered Arrow table tonight_tie (one, other, kind, strength). Takes $day.
INSERT INTO night.family_tie BY NAME
SELECT $day AS day, least(one, other) AS first_family_id, greatest(one, other) AS second_family_id, kind, strength
FROM tonight_tie
ORDER BY first_family_id, second_family_id, kind
