-- objects: what accounts could share tonight: one row per account, kind and object, with the part of the
-- account's requests that carried it. Takes $day, $most_common (0 to 1), $lasting_nights.
-- An object of one account ties nobody, and most addresses are such; one of nearly all accounts tells nobody apart:
-- both leave before Python sees them.
WITH sent AS (
    SELECT account_id, ip, client_fingerprint AS client, toolset_hash,
           CASE WHEN coalesce(temperature, top_p, max_tokens) IS NOT NULL
                THEN hash(temperature, top_p, max_tokens, n_choices, top_logprobs, n_logit_bias, response_format, thinking)
           END AS parameters
    FROM core.request WHERE day = $day
),
total AS (SELECT account_id, count(*) AS n_requests FROM sent GROUP BY account_id),
carried AS (
    SELECT account_id, 'address' AS kind, hash(ip) AS object, count(*) AS n FROM sent WHERE ip IS NOT NULL
    GROUP BY account_id, hash(ip)
    UNION ALL
    SELECT account_id, 'client', hash(client), count(*) FROM sent WHERE client IS NOT NULL
    GROUP BY account_id, hash(client)
    UNION ALL
    SELECT account_id, 'tool_set', toolset_hash, count(*) FROM sent WHERE toolset_hash IS NOT NULL
    GROUP BY account_id, toolset_hash
    UNION ALL
    SELECT account_id, 'parameters', parameters, count(*) FROM sent WHERE parameters IS NOT NULL
    GROUP BY account_id, parameters
),
telling AS (                           -- carried by some, not by one and not by everybody
    SELECT kind, object FROM carried GROUP BY kind, object
    HAVING count(*) BETWEEN 2 AND greatest($most_common * (SELECT count(*) FROM total), 8)
),
earlier AS (                           -- a fashion is used once or twice, a harvest goes on
    SELECT account_id, family_id, sum(n_requests) AS n_requests FROM night.family_account
    WHERE day BETWEEN $day - $lasting_nights AND $day - 1 GROUP BY account_id, family_id
),
payment AS (
    SELECT account_id, payment_fingerprint AS object FROM total JOIN core.account USING (account_id)
    WHERE payment_fingerprint IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY payment_fingerprint) > 1
)
SELECT account_id, kind, object::VARCHAR AS object, least(n / n_requests, 1.0) AS share,
       0.0::DOUBLE AS n_requests, 0.0::DOUBLE AS n_earlier_requests, 0.0::DOUBLE AS n_items,
       0.0::DOUBLE AS n_shared_items, 0.0::DOUBLE AS n_training, 0.0::DOUBLE AS n_repeated
FROM carried SEMI JOIN telling USING (kind, object) JOIN total USING (account_id)
UNION ALL
SELECT account_id, 'payment', object, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 FROM payment
UNION ALL
SELECT used.account_id, CASE family.kind WHEN 'system' THEN 'system_prompt' ELSE 'template' END, used.family_id,
       least(used.n_requests / total.n_requests, 1.0), used.n_requests::DOUBLE,
       coalesce(earlier.n_requests, 0)::DOUBLE, used.n_items::DOUBLE, used.n_shared_items::DOUBLE, used.training_permille / 1000,
       coalesce(used.n_repeated, 0)::DOUBLE
FROM night.family_account AS used
JOIN night.family AS family
  ON family.day = used.day AND family.family_id = used.family_id AND family.kind <> 'tools'
JOIN total ON total.account_id = used.account_id
LEFT JOIN earlier ON earlier.account_id = used.account_id AND earlier.family_id = used.family_id
WHERE used.day = $day
ORDER BY kind, object, account_id
