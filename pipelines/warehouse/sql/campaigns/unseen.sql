-- unseen: of each group's accounts, the share of which the night's logs, or the accounts file, have anything of a kind.
-- Reads core.request, core.account and the registered table member (number, account_id). Takes $day.
WITH known AS (
    SELECT number, member.account_id,
           bool_or(prompt_hash IS NOT NULL) AS prompts,
           bool_or(coalesce(ip, request.country, asn) IS NOT NULL) AS addresses,
           bool_or(coalesce(user_agent, client_fingerprint) IS NOT NULL) AS clients,
           bool_or(output_tokens IS NOT NULL) AS tokens,
           bool_or(created_at IS NOT NULL OR payment_fingerprint IS NOT NULL) AS accounts
    FROM member JOIN core.request AS request USING (account_id)
    LEFT JOIN core.account AS account ON account.account_id = member.account_id
    WHERE day = $day
    GROUP BY number, member.account_id
)
SELECT number, avg(prompts::INTEGER) AS prompts, avg(addresses::INTEGER) AS addresses,
       avg(clients::INTEGER) AS clients, avg(tokens::INTEGER) AS tokens, avg(accounts::INTEGER) AS accounts
FROM known GROUP BY number ORDER BY number
