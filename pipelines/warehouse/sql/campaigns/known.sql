-- known: campaigns of earlier nights at their last sighting, with every template they lived on, everybody who was ever
-- in them, and what was recorded of their end since. Takes $day, $nights.
WITH sighting AS (
    SELECT campaign_id, day, families FROM night.campaign
    WHERE day < $day AND day >= $day - to_days($nights::INTEGER)
),
latest AS (
    SELECT campaign_id, max(day) AS last_day, list_sort(list_distinct(flatten(list(families)))) AS families
    FROM sighting GROUP BY campaign_id
),
member AS (
    SELECT campaign_id, account_id, max(day) AS last_in_it
    FROM night.flagged_account SEMI JOIN sighting USING (campaign_id, day)
    GROUP BY campaign_id, account_id
),
ended AS (                             -- of two that merged, the one that was taken in
    SELECT CASE event WHEN 'merged' THEN other_id ELSE campaign_id END AS campaign_id, event, day
    FROM night.campaign_event WHERE event IN ('merged', 'dormant') AND day < $day
),
told AS (
    SELECT campaign_id, list_sort(list(DISTINCT event)) AS events
    FROM ended JOIN latest USING (campaign_id) WHERE day > last_day
    GROUP BY campaign_id
)
SELECT campaign_id, last_day,
       list(account_id ORDER BY account_id) FILTER (last_in_it = last_day),
       any_value(latest.families),
       list(account_id ORDER BY account_id),
       coalesce(any_value(told.events), [])
FROM latest JOIN member USING (campaign_id) LEFT JOIN told USING (campaign_id)
GROUP BY campaign_id, last_day
ORDER BY campaign_id
