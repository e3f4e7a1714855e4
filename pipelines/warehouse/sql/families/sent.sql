-- sent: how often each account sent each item of each family. Reads the registered Arrow table tonight_use (one
-- row per request: family, account, item, training_permille). Read by family and family_account.
CREATE OR REPLACE TEMP TABLE sent AS
SELECT family, account, item, count(*) AS n_requests, sum(training_permille) AS training_permille
FROM tonight_use WHERE family >= 0 GROUP BY family, account, item
