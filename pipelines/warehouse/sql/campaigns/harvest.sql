-- harvest: what a group's requests ask for and what they brought. Reads the registered tables member (account_id) and
-- core_family (family_id), the temporary tonight_family_request. Takes $day. Requests made from the group's templates;
-- all of its members' where it shares no user template. Retries and samples count as in account_day_totals.
WITH templated AS (
    SELECT row_id FROM tonight_family_request SEMI JOIN core_family USING (family_id)
),
sent AS (
    SELECT capability, technique, output_tokens, rowid IN (FROM templated) AS is_templated,
           coalesce(attempt, 1) <= 1 OR min(coalesce(attempt, 1)) OVER (PARTITION BY account_id) > 1 AS is_counted,
           CASE WHEN sample_rate > 0 AND sample_rate <= 1
                THEN round(1000 / greatest(sample_rate, 1e-6))::HUGEINT ELSE 1000 END AS weight_milli
    FROM core.request SEMI JOIN member USING (account_id)
    WHERE day = $day
),
asked AS (                             -- a request without a text asks for nothing that is known
    FROM sent WHERE is_counted AND capability IS NOT NULL AND technique IS NOT NULL
)
SELECT capability, technique,
       least(round(sum(weight_milli) / 1000), 9e18)::BIGINT AS n_requests,
       least(round(coalesce(sum(output_tokens * weight_milli), 0) / 1000), 9e18)::BIGINT AS output_tokens
FROM asked
WHERE is_templated OR NOT (SELECT coalesce(bool_or(is_templated), false) FROM asked)
GROUP BY capability, technique
ORDER BY capability, technique
