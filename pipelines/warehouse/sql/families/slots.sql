-- slots: what fills the slots of the night's prompt families. Reads the temporary table tonight_slot (family, account,
-- shingle) and the registered Arrow table tonight_family (family, family_id). Takes $day, $most.
INSERT INTO night.family_slot BY NAME
WITH held AS (
    SELECT family, shingle, count(DISTINCT account)::INTEGER AS n_accounts FROM tonight_slot GROUP BY family, shingle
    QUALIFY row_number() OVER (PARTITION BY family ORDER BY shingle) <= $most
)
SELECT $day AS day, family_id, shingle, n_accounts
FROM held JOIN tonight_family USING (family)
ORDER BY family_id, shingle
