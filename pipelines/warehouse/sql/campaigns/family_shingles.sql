-- family_shingles: of each asked family, in the order of their numbers; none where the night does not know it. Reads the
-- registered Arrow table asked_family (family, family_id). Takes $day.
SELECT coalesce(shingles, []) AS shingles
FROM asked_family LEFT JOIN (SELECT family_id, shingles FROM night.family WHERE day = $day) USING (family_id)
ORDER BY family
