-- harvest: what a group's requests ask for. Reads the registered tables member (account_id) and core_family
-- (family_id), the temporary tonight_family_request. Takes $day.
WITH templated AS (
    SELECT row_id FROM tonight_family_request SEMI JOIN core_family USING (family_id)
),
has_template AS (SELECT count(*) > 0 AS answer FROM core_family)
SELECT capability, technique, count(*) AS n_requests
FROM core.request SEMI JOIN member USING (account_id)
WHERE day = $day AND capability IS NOT NULL AND technique IS NOT NULL
  AND (core.request.rowid IN (FROM templated) OR NOT (FROM has_template))
GROUP BY capability, technique
ORDER BY capability, technique
