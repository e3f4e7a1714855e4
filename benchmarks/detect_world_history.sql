-- detect_world_history: the nights before the one that detect_world made. Takes the same variables; expects tonight's rows
-- in night.account_day, and moves them: each earlier night is tonight's with other numbers and nine accounts in ten.

CREATE TABLE world.night AS SELECT unnest(range(1, getvariable('n_nights') + 1))::INTEGER AS back;

-- Narrow rows: what is read of an earlier night's requests, one in twenty of them a prompt that comes again tonight.
INSERT INTO core.request BY NAME
SELECT getvariable('day') - back AS day, -back AS file_id, row_number, hash('key', row_number, back)::UHUGEINT AS request_key,
       (getvariable('day') - back)::TIMESTAMP + to_microseconds(sent_at_us) AS sent_at, account_id, org_id, 1 AS attempt,
       ['large-4', 'small-5'][1 + row_number % 2] AS model,
       if(hash('again', row_number, back) % 20 = 0, item, hash('then', row_number, back)) AS prompt_hash
FROM world.night CROSS JOIN world.sent JOIN world.account USING (account)
WHERE hash('absent', account, back) % 10 > 0;

CREATE TABLE world.day_before AS FROM night.account_day;
DELETE FROM night.account_day;
INSERT INTO night.account_day BY NAME
SELECT * EXCLUDE (account, back) REPLACE (
    getvariable('day') - back AS day,
    greatest(1, (n_requests * (0.7 + 0.6 * world.draw('then', account * 64 + back)))::BIGINT) AS n_requests,
    first_sent_at - to_days(back) AS first_sent_at, last_sent_at - to_days(back) AS last_sent_at)
FROM world.day_before JOIN (SELECT account, account_id FROM world.account) USING (account_id) CROSS JOIN world.night
WHERE hash('absent', account, back) % 10 > 0
ORDER BY day, account_id;
DROP TABLE world.day_before;

INSERT INTO night.family BY NAME
SELECT * EXCLUDE (back) REPLACE (getvariable('day') - back AS day) FROM night.family CROSS JOIN world.night
WHERE day = getvariable('day');
INSERT INTO night.family_account BY NAME
SELECT * EXCLUDE (back) REPLACE (getvariable('day') - back AS day) FROM night.family_account CROSS JOIN world.night
WHERE day = getvariable('day') AND hash(account_id, back) % 10 > 0;

-- Every other campaign is known already, and the look-alikes were candidates that nobody flagged.
INSERT INTO night.campaign BY NAME
SELECT getvariable('day') - back AS day, 'C-' || team AS campaign_id, 0.9 AS score, 1e-4 AS p_value, 'medium' AS confidence,
       'verify' AS recommended_action, size AS n_accounts, 20 * size AS n_requests, 9000 * size AS output_tokens,
       (getvariable('day') - back)::TIMESTAMP AS first_seen, (getvariable('day') - back)::TIMESTAMP AS last_seen,
       [] AS capabilities, [] AS techniques, '' AS profile, [] AS links, [] AS evidence, '' AS summary, 'steady' AS status,
       ['F-' || 3 * team] AS families
FROM world.team CROSS JOIN world.night WHERE is_campaign AND team % 2 = 1;
INSERT INTO night.flagged_account BY NAME
SELECT getvariable('day') - back AS day, account_id, 'C-' || team AS campaign_id, 0.9 AS score, 1e-4 AS p_value,
       'medium' AS confidence, 'verify' AS recommended_action, [] AS reasons,
       (getvariable('day') - back)::TIMESTAMP AS first_seen, (getvariable('day') - back)::TIMESTAMP AS last_seen,
       20 AS n_requests, 9000 AS output_tokens
FROM world.account CROSS JOIN world.night
WHERE is_campaign AND team % 2 = 1 AND hash('absent', account, back) % 10 > 0;
INSERT INTO night.candidate BY NAME
SELECT getvariable('day') - back AS day, team AS candidate_id, size AS n_accounts,
       -4 + 6 * world.draw('evidence', team * 64 + back) AS evidence, false AS flagged, true AS has_content
FROM world.team CROSS JOIN world.night WHERE NOT is_campaign;
INSERT INTO night.candidate_account BY NAME
SELECT getvariable('day') - back AS day, team AS candidate_id, account_id
FROM world.account CROSS JOIN world.night WHERE is_lookalike;

DROP TABLE world.sent;
CHECKPOINT;
