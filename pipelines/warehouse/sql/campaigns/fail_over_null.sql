-- fail_over_null: of requests that were answered, how many there were and after what delay another owner sent the same
-- prompt next, by popularity of the prompt. Reads the temporary fail_over_run. Takes $delays_s (ascending).
SELECT floor(log2(1 + n_others))::INTEGER AS popularity,
       if(delay_s IS NULL, NULL, len(list_filter($delays_s, lambda bound: bound < delay_s))) AS after,
       sum(n)::DOUBLE AS n
FROM fail_over_run WHERE NOT is_refused
GROUP BY ALL ORDER BY ALL
