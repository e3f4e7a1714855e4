-- others: requests in no family, of some accounts chosen by hash: what people's own texts look like tonight. Reads the
-- temporary table tonight_family_request. Takes $day, $most_rows, $account_rows.
WITH free AS (
    SELECT request.rowid AS row_id, account_id, prompt_hash, sent_at
    FROM core.request AS request ANTI JOIN tonight_family_request AS belongs ON belongs.row_id = request.rowid
    WHERE day = $day AND prompt_hash IS NOT NULL
),
load AS (SELECT account_id, least(count(*), $account_rows) AS n_requests FROM free GROUP BY account_id),
running AS (
    SELECT account_id, sum(n_requests) OVER (ORDER BY hash(account_id), account_id) - n_requests AS n_before
    FROM load
),
chosen AS (
    SELECT row_id FROM free JOIN running USING (account_id) WHERE n_before < $most_rows
    QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY prompt_hash, sent_at, row_id) <= $account_rows
)
SELECT 0::INTEGER AS family, account_id, prompt_hash AS item, epoch_us(sent_at) AS sent_at_us,
       coalesce(n_prompt_bytes, 0) AS n_bytes, coalesce(n_prompt_tokens, 0) AS n_tokens,
       coalesce(script, 0) AS script, coalesce(capability, 0) AS capability, coalesce(shingles, []) AS shingles
FROM chosen JOIN core.request AS request ON request.rowid = row_id
