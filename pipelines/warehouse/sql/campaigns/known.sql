-- known: campaigns of earlier nights at their last sighting, with every template they lived on. Takes $day, $nights.
WITH sighting AS (
    SELECT campaign_id, day, families FROM night.campaign
    WHERE day < $day AND day >= $day - to_days($nights::INTEGER)
),
latest AS (
    SELECT campaign_id, max(day) AS last_day, list_sort(list_distinct(flatten(list(families)))) AS families
    FROM sighting GROUP BY campaign_id
)
SELECT campaign_id, last_day, list(account_id ORDER BY account_id), any_value(latest.families)
FROM latest JOIN night.flagged_account AS member USING (campaign_id)
WHERE member.day = last_day
GROUP BY campaign_id, last_day
ORDER BY campaign_id
