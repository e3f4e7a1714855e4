-- sizes: accounts of tonight that sent no prompts to be read, and whose requests are of one size: a good part of them
-- lies within a narrow band of input tokens. Takes $day, $nights (before it), $least_share (0 to 1), $least_requests.
-- A band is four steps of a tenth (of the natural logarithm) wide, wherever the account has the most requests; its
-- middle is counted in two grids of two steps, half a cell apart, so that no edge parts accounts of one size. An object
-- is named by its cell.
WITH unread AS (                       -- numbered: to sort and group by numbers takes half the memory
    SELECT account_id, row_number() OVER () AS account_no
    FROM core.request WHERE day = $day GROUP BY account_id HAVING count(prompt_hash) = 0
),
sized AS (
    SELECT account_no, floor(ln(input_tokens) * 10)::USMALLINT AS step, count(*) AS n, sum(ln(input_tokens)) AS logs
    FROM core.request JOIN unread USING (account_id)
    WHERE day BETWEEN $day - $nights AND $day AND input_tokens > 0
    GROUP BY account_no, step
),
within AS (
    SELECT account_no, sum(n) OVER band AS n, sum(logs) OVER band AS logs, sum(n) OVER (PARTITION BY account_no) AS n_sized
    FROM sized
    WINDOW band AS (PARTITION BY account_no ORDER BY step RANGE BETWEEN CURRENT ROW AND 3 FOLLOWING)
),
fullest AS (
    SELECT account_no, max_by(logs / n, n) AS middle, max(n) AS n, any_value(n_sized) AS n_sized
    FROM within WHERE n >= $least_requests AND n >= $least_share * n_sized GROUP BY account_no
),
celled AS (
    SELECT account_no, n / n_sized AS share,
           unnest([floor(middle * 5), floor(middle * 5 - 0.5) + 0.5]) AS cell
    FROM fullest
)
SELECT account_id, cell::VARCHAR AS object, share
FROM celled JOIN unread USING (account_no)
ORDER BY object, account_id
