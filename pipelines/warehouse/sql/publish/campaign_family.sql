-- campaign_family: the templates each campaign lived on, night by night, with up to five examples.
-- Reads night.campaign, night.family, night.family_account, night.family_queue, night.family_tie,
-- night.flagged_account, night.exemplar.
WITH named AS (                        -- one row per campaign, night and template
    SELECT day, campaign_id, n_requests AS campaign_requests, unnest(families) AS family_id
    FROM night.campaign
),
described AS (                         -- a dormant night has no families of its own: the latest form counts
    SELECT named.day, named.campaign_id, named.campaign_requests, named.family_id,
           max_by(family.kind, family.day) AS kind, max_by(family.skeleton, family.day) AS skeleton,
           max_by(family.contract, family.day) AS contract, min(family.first_seen) AS first_seen,
           max(family.n_nights) AS n_nights, max_by(family.n_accounts, family.day) AS n_users,
           max_by(family.n_orgs, family.day) AS n_orgs, max(family.day) AS seen_on
    FROM named JOIN night.family AS family
      ON family.family_id = named.family_id AND family.day <= named.day
    GROUP BY named.day, named.campaign_id, named.campaign_requests, named.family_id
),
member AS (
    SELECT DISTINCT day, campaign_id, account_id FROM night.flagged_account WHERE campaign_id IS NOT NULL
),
used AS (
    SELECT member.day, member.campaign_id, usage.family_id,
           count(DISTINCT usage.account_id) AS n_accounts, sum(usage.n_requests) AS n_requests
    FROM member JOIN night.family_account AS usage USING (day, account_id)
    GROUP BY member.day, member.campaign_id, usage.family_id
),
tied AS (                              -- two kinds of tie between the same two are one neighbour
    SELECT day, family_id, count(DISTINCT other_id)::INTEGER AS n_tied
    FROM (
        SELECT day, first_family_id AS family_id, second_family_id AS other_id FROM night.family_tie
        UNION ALL
        SELECT day, second_family_id, first_family_id FROM night.family_tie
    ) GROUP BY day, family_id
),
one_per_account AS (                   -- five accounts show coordination, five texts of one do not
    SELECT member.day, member.campaign_id, exemplar.family_id, member.account_id,
           min_by(exemplar.text, exemplar.request_id || chr(10) || exemplar.text) AS text
    FROM member JOIN night.exemplar AS exemplar USING (day, account_id)
    WHERE exemplar.family_id IS NOT NULL
    GROUP BY member.day, member.campaign_id, exemplar.family_id, member.account_id
),
shown AS (
    SELECT day, campaign_id, family_id, list_slice(list(text ORDER BY account_id), 1, 5) AS exemplars
    FROM one_per_account GROUP BY day, campaign_id, family_id
)
SELECT described.day, described.campaign_id, described.family_id, described.kind, described.skeleton,
       described.contract, coalesce(queue.verdict, 'unclear') AS queue, described.first_seen, described.n_nights,
       described.n_users, described.n_orgs, coalesce(tied.n_tied, 0) AS n_tied,
       least(1.0, coalesce(used.n_requests, 0) / greatest(described.campaign_requests, 1)) AS share,
       coalesce(used.n_accounts, 0)::INTEGER AS n_accounts,
       coalesce(used.n_requests, 0)::BIGINT AS n_requests,
       coalesce(shown.exemplars, []::VARCHAR[]) AS exemplars
FROM described
LEFT JOIN used USING (day, campaign_id, family_id)
LEFT JOIN shown USING (day, campaign_id, family_id)
LEFT JOIN night.family_queue AS queue ON queue.day = described.seen_on AND queue.family_id = described.family_id
LEFT JOIN tied ON tied.day = described.seen_on AND tied.family_id = described.family_id
ORDER BY described.day, described.campaign_id, n_requests DESC, described.family_id
