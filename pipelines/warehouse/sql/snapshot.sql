-- The published snapshot: what the console, findings, evaluate and export read. Written whole beside
-- its place, then renamed over it: a reader sees the old one or the new one, never half of one.

CREATE TABLE night (
    day          DATE PRIMARY KEY,
    n_requests   BIGINT NOT NULL,
    n_accounts   BIGINT NOT NULL,
    n_refused    BIGINT NOT NULL,
    n_repeated   BIGINT NOT NULL,
    n_families   BIGINT NOT NULL,
    n_candidates BIGINT NOT NULL,
    n_campaigns  BIGINT NOT NULL,
    n_flagged    BIGINT NOT NULL,    -- accounts
    calibration  VARCHAR NOT NULL    -- 'this night alone' | 'N earlier nights'
);

-- campaign, campaign_harvest, campaign_link, campaign_event, flagged_account, drift, learned_order, learned_case: the columns
-- of the tables of these names in night.*, all nights.

-- campaign_family: the templates a campaign lives on, in the console's own words.
CREATE TABLE campaign_family (
    day         DATE NOT NULL,
    campaign_id VARCHAR NOT NULL,
    family_id   VARCHAR NOT NULL,
    kind        VARCHAR NOT NULL,
    skeleton    VARCHAR NOT NULL,
    contract    VARCHAR NOT NULL,    -- the form of answer it demands, in words; '' for none known
    queue       VARCHAR NOT NULL,    -- what fills its slots: a code of detector.text.VERDICTS
    first_seen  DATE NOT NULL,       -- the template, by whomever it was used
    n_nights    INTEGER NOT NULL,    -- on which it was seen
    n_users     INTEGER NOT NULL,    -- accounts that used it that night, members or not
    n_orgs      INTEGER,             -- their organisations; null where none is known
    n_tied      INTEGER NOT NULL,    -- other templates that are likely the same one, reworded
    share       DOUBLE NOT NULL,     -- of the campaign's requests
    n_accounts  INTEGER NOT NULL,
    n_requests  BIGINT NOT NULL,
    exemplars   VARCHAR[] NOT NULL   -- redacted and shortened; empty when the setting is off
);

-- activity: requests of a campaign's accounts per hour.
CREATE TABLE activity (
    campaign_id VARCHAR NOT NULL,
    hour        TIMESTAMP NOT NULL,
    n_requests  BIGINT NOT NULL,
    n_accounts  BIGINT NOT NULL
);

-- account_refusals: requests of flagged accounts that the provider refused, by the category it gave.
CREATE TABLE account_refusals (
    account_id VARCHAR NOT NULL,
    category   VARCHAR NOT NULL,
    n_requests BIGINT NOT NULL,
    first_at   TIMESTAMP NOT NULL,
    last_at    TIMESTAMP NOT NULL
);

-- account_activity: the nights of each flagged account, flagged on that night or not.
CREATE TABLE account_activity (
    account_id    VARCHAR NOT NULL,
    day           DATE NOT NULL,
    org_id        VARCHAR,
    created_at    TIMESTAMP,
    plan          VARCHAR,
    country       VARCHAR,
    n_requests    BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    active_hours  INTEGER NOT NULL,
    models        VARCHAR[] NOT NULL
);

-- account_exemplar: what a flagged account sent, redacted and shortened; at most five texts each.
CREATE TABLE account_exemplar (
    account_id VARCHAR NOT NULL,
    day        DATE NOT NULL,
    family_id  VARCHAR,
    request_id VARCHAR NOT NULL,
    text       VARCHAR NOT NULL
);

-- account_terms: what a flagged account was allowed to do; an account with a valid approved use is never
-- exported for enforcement.
CREATE TABLE account_terms (
    account_id     VARCHAR PRIMARY KEY,
    use_case       VARCHAR,
    verified       BOOLEAN,
    approved_use   VARCHAR,
    approved_until DATE               -- the last day it holds; null is without end
);

-- refused: counts of refused rows by reason, so nobody has to open the warehouse to see them.
CREATE TABLE refused (
    path    VARCHAR NOT NULL,
    column_name VARCHAR,
    reason  VARCHAR NOT NULL,
    n_rows  BIGINT NOT NULL,
    first_row BIGINT NOT NULL
);
