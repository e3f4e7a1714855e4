-- families: the templates of one campaign on its latest night that has any, most used first.
SELECT family_id, kind, skeleton, contract, queue, first_seen, n_nights, n_users, n_orgs, n_tied, share, n_accounts,
       n_requests, exemplars, day
FROM campaign_family
WHERE campaign_id = $campaign_id
  AND day = (SELECT max(day) FROM campaign_family WHERE campaign_id = $campaign_id)
ORDER BY n_requests DESC, family_id
