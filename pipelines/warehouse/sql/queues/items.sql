-- items: what is known of each sampled prompt beyond the sample: accounts that sent it tonight, and on how many of
-- the nights before it was seen, by whomever. Reads queue_row and queue_use. Takes $day, $nights.
CREATE OR REPLACE TEMP TABLE queue_item AS
WITH sampled AS (SELECT DISTINCT prompt_hash FROM queue_use),
tonight AS (
    SELECT family_id, prompt_hash, count(DISTINCT account_id)::INTEGER AS n_holders
    FROM queue_row SEMI JOIN sampled USING (prompt_hash)
    GROUP BY family_id, prompt_hash
),
earlier AS (
    SELECT prompt_hash, count(DISTINCT day)::TINYINT AS nights_before, epoch_us(min(sent_at)) AS first_seen_us
    FROM core.request SEMI JOIN sampled USING (prompt_hash)
    WHERE day < $day AND day >= $day - to_days($nights::INTEGER)
    GROUP BY prompt_hash
)
SELECT family_id, prompt_hash, n_holders, coalesce(nights_before, 0)::TINYINT AS nights_before,
       coalesce(first_seen_us, -1) AS first_seen_us
FROM tonight LEFT JOIN earlier USING (prompt_hash)
