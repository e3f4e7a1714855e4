-- known: families that were read on an earlier night keep what was read then. Takes $day.
WITH read AS (
    SELECT family_id, max_by(skeleton, day) AS skeleton, max_by(contract, day) AS contract, max_by(marks, day) AS marks
    FROM night.family WHERE day < $day AND skeleton <> '' GROUP BY family_id
)
UPDATE night.family SET skeleton = read.skeleton, contract = read.contract, marks = read.marks
FROM read WHERE family.day = $day AND family.family_id = read.family_id AND family.skeleton = ''
