-- objects: what accounts could share tonight: one row per account, kind and object, with the part of the
-- account's requests that carried it. Takes $day.
WITH sent AS (
    SELECT account_id, ip, client_fingerprint, toolset_hash,
           hash(temperature, top_p, max_tokens, n_choices, top_logprobs, n_logit_bias, response_format, thinking)
               AS parameters,
           coalesce(temperature::VARCHAR, top_p::VARCHAR, max_tokens::VARCHAR) IS NOT NULL AS has_parameters
    FROM core.request WHERE day = $day
),
total AS (SELECT account_id, count(*) AS n_requests FROM sent GROUP BY account_id),
carried AS (
    SELECT account_id, 'address' AS kind, ip AS object, count(*) AS n FROM sent WHERE ip IS NOT NULL
    GROUP BY account_id, ip
    UNION ALL
    SELECT account_id, 'client', client_fingerprint, count(*) FROM sent WHERE client_fingerprint IS NOT NULL
    GROUP BY account_id, client_fingerprint
    UNION ALL
    SELECT account_id, 'tool_set', toolset_hash::VARCHAR, count(*) FROM sent WHERE toolset_hash IS NOT NULL
    GROUP BY account_id, toolset_hash
    UNION ALL
    SELECT account_id, 'parameters', parameters::VARCHAR, count(*) FROM sent WHERE has_parameters
    GROUP BY account_id, parameters
),
objects AS (
    SELECT account_id, kind, object, n / n_requests AS share FROM carried JOIN total USING (account_id)
    UNION ALL
    SELECT account_id, 'payment', payment_fingerprint, 1.0
    FROM total JOIN core.account USING (account_id) WHERE payment_fingerprint IS NOT NULL
    UNION ALL
    SELECT used.account_id, CASE family.kind WHEN 'system' THEN 'system_prompt' ELSE 'template' END,
           used.family_id, least(used.n_requests / total.n_requests, 1.0)
    FROM night.family_account AS used
    JOIN night.family AS family ON family.day = used.day AND family.family_id = used.family_id
    JOIN total ON total.account_id = used.account_id
    WHERE used.day = $day
)
SELECT objects.account_id, objects.kind, objects.object, objects.share,
       coalesce(used.n_requests, 0)::DOUBLE AS n_requests, coalesce(used.n_items, 0)::DOUBLE AS n_items,
       coalesce(used.n_shared_items, 0)::DOUBLE AS n_shared_items,
       coalesce(used.n_technique_requests, 0)::DOUBLE AS n_technique_requests
FROM objects
LEFT JOIN night.family_account AS used
  ON objects.kind = 'template' AND used.day = $day AND used.family_id = objects.object
 AND used.account_id = objects.account_id
-- an object of one account ties nobody; most addresses are such, so they leave before Python sees them
QUALIFY count(*) OVER (PARTITION BY objects.kind, objects.object) > 1
ORDER BY objects.kind, objects.object, objects.account_id
