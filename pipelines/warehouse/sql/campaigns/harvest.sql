-- harvest: what each group's requests ask for and what they brought. Reads the registered tables member (number,
-- account_id) and core_family (number, family_id), the temporary tonight_family_request. Takes $day. Requests made from
-- the group's templates; all of its members' where it shares no user template. Retries and samples count as in
-- account_day_totals.
WITH sent AS MATERIALIZED (
    SELECT number, account_id, request.rowid AS row_id, capability, technique, output_tokens, attempt, sample_rate
    FROM core.request AS request JOIN member USING (account_id)
    WHERE day = $day
),
templated AS (
    SELECT DISTINCT number, row_id
    FROM sent JOIN tonight_family_request USING (row_id) SEMI JOIN core_family USING (number, family_id)
),
counted AS (
    SELECT sent.number, capability, technique, output_tokens, templated.row_id IS NOT NULL AS is_templated,
           coalesce(attempt, 1) <= 1 OR min(coalesce(attempt, 1)) OVER (PARTITION BY sent.number, account_id) > 1
               AS is_counted,
           CASE WHEN sample_rate > 0 AND sample_rate <= 1
                THEN round(1000 / greatest(sample_rate, 1e-6))::HUGEINT ELSE 1000 END AS weight_milli
    FROM sent LEFT JOIN templated ON templated.number = sent.number AND templated.row_id = sent.row_id
),
asked AS (                             -- a request without a text asks for nothing that is known
    SELECT *, bool_or(is_templated) OVER (PARTITION BY number) AS has_templates
    FROM counted WHERE is_counted AND capability IS NOT NULL AND technique IS NOT NULL
)
SELECT number, capability, technique,
       least(round(sum(weight_milli) / 1000), 9e18)::BIGINT AS n_requests,
       least(round(coalesce(sum(output_tokens * weight_milli), 0) / 1000), 9e18)::BIGINT AS output_tokens
FROM asked
WHERE is_templated OR NOT has_templates
GROUP BY number, capability, technique
ORDER BY number, capability, technique
