-- ties: for each family of the night, those that are likely the same template, reworded. Takes $day, $least.
WITH tied AS (                         -- kinds of ties add up
    SELECT first_family_id, second_family_id FROM night.family_tie
    WHERE day = $day
    GROUP BY first_family_id, second_family_id
    HAVING sum(strength) >= $least
),
both_ways AS (
    SELECT first_family_id AS family_id, second_family_id AS other_id FROM tied
    UNION ALL
    SELECT second_family_id, first_family_id FROM tied
)
SELECT family_id, list(other_id ORDER BY other_id) FROM both_ways GROUP BY family_id ORDER BY family_id
