-- detect_world: one night as the text stage leaves it, with some nights before it, written set by set.
-- Session variables: n_accounts, n_requests, n_campaigns, n_lookalikes, n_families, n_nights, day; and what makes it
-- hostile: largest_group, one_object (0 or 1), n_hoarders, n_hoarded. Fills core.* and night.*, leaves schema world.
-- Every draw is a hash of what it is drawn for, so the same world comes out of any number of threads.

CREATE SCHEMA world;

CREATE MACRO world.draw(what, of_which) AS (hash(of_which, what) >> 11) / 9007199254740992.0;
CREATE MACRO world.zipf(n, u) AS floor(power(n + 0.0, u))::INTEGER;          -- 1 to n, the first most often
CREATE MACRO world.shingle(kind, n, place) AS (hash(kind, n, place) & 4294967295)::UINTEGER;

-- Groups: heavy-tailed sizes, a dozen accounts and up; each owns a run of account numbers.
CREATE TABLE world.team AS
WITH drawn AS (
    SELECT range::INTEGER AS team, range < getvariable('n_campaigns') AS is_campaign,
           CASE WHEN range = 0 AND getvariable('largest_group') > 0 THEN getvariable('largest_group')
                ELSE least(8 + 8 * power(1 - world.draw('size', range), -1 / 1.2), 2000) END::INTEGER AS size
    FROM range(getvariable('n_campaigns') + getvariable('n_lookalikes'))
)
SELECT *, (sum(size) OVER (ORDER BY team) - size)::INTEGER AS first FROM drawn;

CREATE TABLE world.account AS
WITH numbered AS (SELECT range::INTEGER AS account FROM range(getvariable('n_accounts'))),
placed AS (
    SELECT account, team, is_campaign, size, first
    FROM numbered ASOF LEFT JOIN world.team ON account >= first
),
cast_ AS (                             -- beyond the last group's last account everybody is alone
    SELECT account,
           if(account < first + size, team, NULL) AS team,
           account < first + size AND is_campaign AS is_campaign,
           account >= first + size AND world.draw('application', account) < 0.01 AS is_application,
           account >= first + size AND world.draw('agent', account) < 0.1 AS is_agent
    FROM placed
),
weighed AS (
    SELECT *, team IS NOT NULL AND NOT is_campaign AS is_lookalike,
           CASE WHEN is_campaign THEN 12 + 40 * world.draw('load', team) + 4 * world.draw('load', account)
                WHEN is_application THEN least(60 * power(1 - world.draw('volume', account), -0.9), 20000)
                ELSE least(3 * power(1 - world.draw('volume', account), -0.8), 5000) END AS volume
    FROM cast_
)
SELECT account, 'acct-' || md5(account::VARCHAR)[:16] AS account_id, team, is_campaign, is_application, is_agent, is_lookalike,
       greatest(1, floor(volume * if(is_campaign, 1, (
           SELECT (getvariable('n_requests') - sum(volume) FILTER (is_campaign)) / sum(volume) FILTER (NOT is_campaign)
           FROM weighed))))::INTEGER AS n_sent,
       NOT (is_campaign OR is_application) AS has_nights,
       24 * world.draw('zone', account) AS midday_h,
       if(world.draw('orgs', account) < 0.3, 'org-' || account // 7, NULL) AS org_id,
       -- frameworks: one serves an eighth of everybody, the others ever fewer
       CASE WHEN getvariable('one_object') = 1 THEN 0
            WHEN is_campaign THEN if(team % 3 = 0, getvariable('n_families') // 10 + team, NULL)
            WHEN world.draw('framework', account) < 0.13 THEN 0
            WHEN world.draw('framework', account) < 0.4
            THEN world.zipf(getvariable('n_families') // 10, world.draw('which framework', account)) END::INTEGER AS system,
       CASE WHEN getvariable('one_object') = 1 THEN 1 WHEN is_campaign AND team % 2 = 0 THEN 1000 + team
            WHEN world.draw('client', account) < 0.7
            THEN world.zipf(200, world.draw('which client', account)) END::INTEGER AS client,
       CASE WHEN is_campaign THEN 1000 + team
            ELSE world.zipf(400, world.draw('setting', account)) END::INTEGER AS setting,
       if(is_agent, world.zipf(200, world.draw('tools', account)), NULL)::INTEGER AS toolset,
       CASE WHEN getvariable('one_object') = 1 THEN 'card'
            WHEN is_campaign AND team % 5 < 3 THEN 'lot-' || team || '-' || account // 8
            WHEN world.draw('household', account) < 0.02 THEN 'home-' || account // 2
            ELSE 'card-' || account END AS payment_fingerprint,
       CASE WHEN is_campaign THEN 30 * world.draw('age', account) ELSE 900 * world.draw('age', account) END::INTEGER AS age_days
FROM weighed;

-- Requests in the order of time; people sleep, machines do not. The template of a request: an own one of the group or of
-- a score of applications, or one of many that everybody uses now and then; -1 for none.
CREATE TABLE world.sent AS
WITH each AS (
    SELECT account, unnest(range(n_sent))::INTEGER AS turn FROM world.account
),
placed AS (
    SELECT account, turn, team, is_lookalike,
           CASE WHEN has_nights
                THEN (midday_h + 10 * (world.draw('hour', each.account::BIGINT * 100003 + turn)
                      + world.draw('more', each.account::BIGINT * 100003 + turn) - 1) + 24) % 24
                ELSE 24 * world.draw('hour', each.account::BIGINT * 100003 + turn) END AS hour,
           CASE WHEN getvariable('one_object') = 1 AND turn = 0 THEN 0
                WHEN is_campaign THEN if(world.draw('cover', each.account::BIGINT * 100003 + turn) < 0.85, 3 * team + turn % (1 + team % 3), -1)
                WHEN is_lookalike THEN if(world.draw('cover', each.account::BIGINT * 100003 + turn) < 0.5, 3 * team, -1)
                WHEN is_application THEN 3 * (SELECT count(*) FROM world.team) + account // 2000
                WHEN world.draw('everyday', each.account::BIGINT * 100003 + turn) < 0.12
                THEN 3 * (SELECT count(*) FROM world.team) + getvariable('n_accounts') // 2000
                     + world.zipf(getvariable('n_families'), world.draw('which', each.account::BIGINT * 100003 + turn))
                ELSE -1 END::INTEGER AS family
    FROM each JOIN world.account USING (account)
)
SELECT row_number() OVER (ORDER BY hour, account, turn)::BIGINT AS row_number, account, turn, family,
       (3600e6 * hour)::BIGINT AS sent_at_us,
       if(is_lookalike AND family >= 0, hash(family, turn % 50), hash('text', account, turn)) AS item
FROM placed;

INSERT INTO core.account BY NAME
SELECT account_id, org_id, getvariable('day')::TIMESTAMP - to_days(age_days) AS created_at, payment_fingerprint,
       if(world.draw('plan', account) < 0.7, 'free', 'paid') AS plan, world.draw('known', account) < 0.3 AS verified,
       if(is_application AND world.draw('contract', account) < 0.1, 'synthetic_data', NULL) AS approved_use
FROM world.account WHERE world.draw('listed', account) < 0.95;

-- A hoarder sends from addresses and by settings that hundreds of other hoarders use, too.
INSERT INTO core.request BY NAME
SELECT getvariable('day') AS day, 0 AS file_id, row_number, hash('key', row_number)::UHUGEINT AS request_key,
       getvariable('day')::TIMESTAMP + to_microseconds(sent_at_us) AS sent_at, account_id, org_id,
       'key-' || s.account * 2 + turn % 2 AS api_key_id,
       hash('session', s.account, turn // 3) AS session_hash,
       if(world.draw('retry', row_number) < 0.02, 2, 1) AS attempt,
       ['large-4', 'large-5', 'small-5'][(1 + hash('model', row_number) % 3)::INTEGER] AS model, 'chat' AS endpoint,
       if(has_nights, 1 + hash('turns', row_number) % 8, 1)::INTEGER AS n_turns,
       if(toolset IS NULL, NULL, hash('tools', toolset)) AS toolset_hash, if(toolset IS NULL, 0, 5) AS n_tools,
       (setting % 11) / 10 AS temperature,
       if(s.account < getvariable('n_hoarders'), 1000 + hash('hoard', s.account, turn) % getvariable('n_hoarded'),
          256 * (1 + setting // 11))::INTEGER AS max_tokens,
       row_number % 3 > 0 AS stream,
       200 + (hash('input', row_number) % 400)::BIGINT AS input_tokens, 20 + (hash('output', row_number) % 900)::BIGINT AS output_tokens,
       if(world.draw('status', row_number) < 0.01, 429, 200) AS status,
       if(world.draw('stop', row_number) < 0.1, 'length', 'stop') AS stop_reason,
       500 + 1000 * world.draw('latency', row_number) AS latency_ms,
       CASE WHEN getvariable('one_object') = 1 THEN 'ip-0'
            WHEN s.account < getvariable('n_hoarders') THEN 'hoard-' || hash('address', s.account, turn) % getvariable('n_hoarded')
            WHEN world.draw('carrier', row_number) < 0.15 THEN 'carrier-' || world.zipf(40, world.draw('which carrier', row_number))
            WHEN org_id IS NOT NULL THEN 'office-' || org_id
            ELSE 'ip-' || s.account * 3 + turn % 3 END AS ip,
       ['US', 'DE', 'IN', 'BR', 'JP'][1 + s.account % 5] AS country, 'as-' || s.account % 300 AS asn,
       ['sdk-python/2.4', 'sdk-node/5.1', 'browser'][1 + s.account % 3] AS user_agent,
       if(client IS NULL, NULL, 'client-' || client) AS client_fingerprint, 'full' AS body_state,
       item AS prompt_hash, 300 + (item % 700)::INTEGER AS n_prompt_bytes, 60 + (item % 150)::INTEGER AS n_prompt_tokens,
       0::UTINYINT AS script, if(family >= 0, hash(family) % 15, item % 15)::UTINYINT AS capability,
       if(is_campaign, 1 + team % 4, if(item % 20 = 0, 1, 0))::UTINYINT AS technique,
       0.7::FLOAT AS technique_margin,
       if(is_campaign AND family >= 0, 500 + item % 450, item % 200)::INTEGER AS training_permille,
       if(family >= 0, list_transform(range(8), lambda place: world.shingle('family', family, place)), []::UINTEGER[])
           || list_transform(range(8), lambda place: world.shingle('own', item, place)) AS shingles,
       if(system IS NULL, NULL, hash('system', system)) AS system_hash
FROM world.sent AS s JOIN world.account AS a ON a.account = s.account;

-- Who used which text, counted as the families step counts.
CREATE TABLE world.family_request AS
SELECT request.rowid AS row_id, 'F-' || family AS family_id, 0::TINYINT AS place
FROM core.request AS request JOIN world.sent USING (row_number)
WHERE day = getvariable('day') AND family >= 0;

CREATE TABLE world.use AS
SELECT 'prompt' AS kind, 'F-' || family AS family_id, account, item, row_number FROM world.sent WHERE family >= 0
UNION ALL
SELECT 'system', 'S-' || system, account, item, row_number FROM world.sent JOIN world.account USING (account) WHERE system IS NOT NULL;

INSERT INTO night.family_account BY NAME
WITH counted AS (
    SELECT family_id, account, item, count(*) AS n_requests, sum(training_permille)::BIGINT AS training_permille
    FROM world.use JOIN core.request USING (row_number) WHERE day = getvariable('day') GROUP BY ALL
),
shared AS (SELECT family_id, item FROM counted GROUP BY family_id, item HAVING count(*) > 1),
per_account AS (
    SELECT counted.family_id, account, sum(n_requests)::BIGINT AS n_requests, count(*) AS n_items,
           count(shared.item) AS n_shared_items, sum(training_permille)::BIGINT AS training_permille
    FROM counted LEFT JOIN shared ON shared.family_id = counted.family_id AND shared.item = counted.item
    GROUP BY counted.family_id, account
)
SELECT getvariable('day') AS day, family_id, account_id, n_requests, n_items, n_shared_items, training_permille
FROM per_account JOIN world.account USING (account) ORDER BY family_id, account_id;

INSERT INTO night.family BY NAME
WITH used AS (
    SELECT family_id, count(*)::INTEGER AS n_accounts, sum(n_requests)::BIGINT AS n_requests, sum(n_items)::BIGINT AS n_items
    FROM night.family_account GROUP BY family_id
)
SELECT getvariable('day') AS day, family_id, if(family_id[1] = 'F', 'prompt', 'system') AS kind, n_accounts,
       n_requests, n_items, getvariable('day') - 2 AS first_seen, 3 AS n_nights, 'Answer <text> with care' AS skeleton,
       list_transform(range(64), lambda place: world.shingle('family', family_id[3:]::INTEGER, place)) AS shingles
FROM used WHERE n_accounts >= 5 ORDER BY family_id;

DELETE FROM night.family_account WHERE family_id NOT IN (SELECT family_id FROM night.family);
DELETE FROM world.family_request WHERE family_id NOT IN (SELECT family_id FROM night.family);
DROP TABLE world.use;

INSERT INTO night.family_tie BY NAME
SELECT getvariable('day') AS day, least('F-' || 3 * team, 'F-' || 3 * team + 1) AS first_family_id,
       greatest('F-' || 3 * team, 'F-' || 3 * team + 1) AS second_family_id, 'wording' AS kind, 9.0 AS strength
FROM world.team WHERE team % 3 > 0;
