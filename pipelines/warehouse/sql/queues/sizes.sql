-- sizes: what each account sent of each family. Reads queue_row. Leaves queue_load.
CREATE OR REPLACE TEMP TABLE queue_load AS
SELECT family_id, account_id, count(*) AS n_requests FROM queue_row GROUP BY family_id, account_id
