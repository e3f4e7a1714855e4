-- fail_overs: who was refused and who took over, tonight and on the nights before; heir null for nobody. Takes $day,
-- $lasting_nights.
SELECT account_id, heir_id, sum(n_requests)::DOUBLE AS n_requests
FROM night.fail_over WHERE day BETWEEN $day - $lasting_nights AND $day
GROUP BY account_id, heir_id ORDER BY account_id, heir_id
