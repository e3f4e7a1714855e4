-- harvest: what a group's requests ask for. Reads the registered tables member (account_id) and core_family
-- (family_id), the temporary tonight_family_request. Takes $day. Requests made from the group's templates; all of its
-- members' where it shares no user template.
WITH templated AS (
    SELECT row_id FROM tonight_family_request SEMI JOIN core_family USING (family_id)
),
sent AS (
    SELECT capability, technique, rowid IN (FROM templated) AS is_templated
    FROM core.request SEMI JOIN member USING (account_id)
    WHERE day = $day AND capability IS NOT NULL AND technique IS NOT NULL
)
SELECT capability, technique, count(*) AS n_requests
FROM sent
WHERE is_templated OR NOT (SELECT coalesce(bool_or(is_templated), false) FROM sent)
GROUP BY capability, technique
ORDER BY capability, technique
