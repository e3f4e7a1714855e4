-- account_day_plans: tonight's requests and the plan of each account as a number, -1 where none is told; in the order
-- of account_no. Reads the temporary account_total and core.account. Called by pipelines.features.
SELECT t.requests::DOUBLE AS requests, t.single_turn_share, t.tools_share, t.hour_mask,
       if(a.plan IS NULL, -1, dense_rank() OVER (ORDER BY a.plan))::BIGINT AS plan
FROM account_total AS t LEFT JOIN core.account AS a USING (account_id)
ORDER BY t.account_no
