-- history: what became of one campaign, latest first; what it went into and came from is told of it, too.
SELECT day, event, campaign_id <> $campaign_id AS of_the_other,
       CASE WHEN campaign_id <> $campaign_id THEN campaign_id ELSE other_id END AS other_id, n_accounts, n_stopped
FROM campaign_event
WHERE campaign_id = $campaign_id OR other_id = $campaign_id
ORDER BY day DESC, event, other_id NULLS FIRST
