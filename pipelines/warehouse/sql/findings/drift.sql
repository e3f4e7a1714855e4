-- drift: how calibration held on every night, latest first, warnings before the rest.
SELECT day, lane, n_accounts, n_low, n_low / n_accounts AS low_share, n_reference, tolerated_share, evidence, warn_at,
       warned, since, moved
FROM drift
ORDER BY day DESC, warned DESC, lane
