-- family_account: who used which family, and whether its items are one account's or many people's.
-- Reads the temporary table sent, night.asked_again and the registered Arrow tables tonight_family (family, family_id) and
-- tonight_account (account, account_id). Takes $day.
INSERT INTO night.family_account BY NAME
WITH item AS (                         -- an item of two accounts is one that people share, or that is dealt out twice
    SELECT family, item FROM sent GROUP BY family, item HAVING count(*) > 1
),
again AS (
    SELECT account, prompt_hash AS item FROM night.asked_again JOIN tonight_account USING (account_id)
),
per_account AS (
    SELECT sent.family, sent.account, sum(n_requests)::BIGINT AS n_requests, count(*) AS n_items,
           count(item.item) AS n_shared_items, sum(training_permille)::BIGINT AS training_permille,
           coalesce(sum(n_requests) FILTER (WHERE again.item IS NOT NULL), 0)::BIGINT AS n_repeated
    FROM sent LEFT JOIN item ON item.family = sent.family AND item.item = sent.item
    LEFT JOIN again ON again.account = sent.account AND again.item = sent.item
    GROUP BY sent.family, sent.account
)
SELECT $day AS day, family_id, account_id, n_requests, n_items, n_shared_items, training_permille, n_repeated
FROM per_account JOIN tonight_family USING (family) JOIN tonight_account USING (account)
ORDER BY family_id, account_id
