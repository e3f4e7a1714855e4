-- The scan's own warehouse: one writer (the scan, under a lock), never opened by the console.
-- Tables flow one way: raw.file -> core.request -> night.* -> the published snapshot.
-- All times are UTC. A night is one UTC day.

CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS core;
CREATE SCHEMA IF NOT EXISTS night;

-- raw.file: one row per log file that was read or tried.
CREATE TABLE IF NOT EXISTS raw.file (
    file_id      INTEGER PRIMARY KEY,
    path         VARCHAR NOT NULL UNIQUE,
    format       VARCHAR,
    size_bytes   BIGINT,
    modified_ns  BIGINT,
    n_rows       BIGINT NOT NULL DEFAULT 0,
    n_loaded     BIGINT NOT NULL DEFAULT 0,
    n_refused    BIGINT NOT NULL DEFAULT 0,
    n_repeated   BIGINT NOT NULL DEFAULT 0,   -- request_id seen before, here or on an earlier night
    n_other_day  BIGINT NOT NULL DEFAULT 0,   -- rows outside the asked-for day
    error        VARCHAR,                     -- why the file could not be read at all
    n_passed_over BIGINT DEFAULT 0,           -- records that are no requests
    not_understood VARCHAR[],                 -- fields that the log's format does not know
    n_told_elsewhere BIGINT DEFAULT 0         -- rows of calls of which a log of another format tells more
);
-- A warehouse made before these columns gains them.
ALTER TABLE raw.file ADD COLUMN IF NOT EXISTS n_passed_over BIGINT DEFAULT 0;
ALTER TABLE raw.file ADD COLUMN IF NOT EXISTS not_understood VARCHAR[];
ALTER TABLE raw.file ADD COLUMN IF NOT EXISTS n_told_elsewhere BIGINT DEFAULT 0;

-- raw.reject: every refused row, by place and reason; never its content.
CREATE TABLE IF NOT EXISTS raw.reject (
    file_id     INTEGER NOT NULL,
    row_number  BIGINT NOT NULL,     -- 1-based: line of a text file, row of a Parquet file
    column_name VARCHAR,             -- null when the row as a whole is malformed
    reason      VARCHAR NOT NULL,
    remedy      VARCHAR NOT NULL
);

-- core.account: the accounts file, latest version of each account.
CREATE TABLE IF NOT EXISTS core.account (
    account_id          VARCHAR PRIMARY KEY,
    org_id              VARCHAR,
    created_at          TIMESTAMP,
    payment_fingerprint VARCHAR,
    email_domain        VARCHAR,
    country             VARCHAR,
    plan                VARCHAR,
    verified            BOOLEAN,
    use_case            VARCHAR,
    approved_use        VARCHAR,
    approved_until      DATE
);

-- core.cleared: accounts that were flagged and every case of which a person has dismissed, as of the latest scan: they
-- count as ordinary again.
CREATE TABLE IF NOT EXISTS core.cleared (account_id VARCHAR PRIMARY KEY);

-- core.labelled: accounts that a provider's notice or a past decision of one's own speaks against, as of the latest scan:
-- no examples of the ordinary, though nothing here may have flagged them.
CREATE TABLE IF NOT EXISTS core.labelled (account_id VARCHAR PRIMARY KEY);

-- core.made_with: one row: the version of the fingerprints in this warehouse, and a hash of the key they were made
-- with. Those of two versions, or of two keys, never match.
CREATE TABLE IF NOT EXISTS core.made_with (fingerprint_version INTEGER NOT NULL, key_hash VARCHAR NOT NULL);

-- core.request: one narrow row per accepted request. Texts are gone: fingerprints stand for them.
CREATE TABLE IF NOT EXISTS core.request (
    day                DATE NOT NULL,
    file_id            INTEGER NOT NULL,
    row_number         BIGINT NOT NULL,    -- where in that file: how evidence is found again
    request_key        UHUGEINT NOT NULL,   -- md5 of request_id
    sent_at            TIMESTAMP NOT NULL,
    account_id         VARCHAR NOT NULL,
    org_id             VARCHAR,
    project_id         VARCHAR,
    api_key_id         VARCHAR,
    end_user_hash      UBIGINT,            -- null when the log names no end user
    session_hash       UBIGINT,
    attempt            INTEGER,
    provider           VARCHAR,
    model              VARCHAR,
    endpoint           VARCHAR,
    n_turns            INTEGER,
    toolset_hash       UBIGINT,            -- of the sorted tool names; null without tools
    n_tools            INTEGER,
    n_images           INTEGER,
    temperature        DOUBLE,
    top_p              DOUBLE,
    max_tokens         INTEGER,
    n_choices          INTEGER,
    top_logprobs       INTEGER,
    n_logit_bias       INTEGER,
    stream             BOOLEAN,
    thinking           BOOLEAN,
    response_format    VARCHAR,
    input_tokens       BIGINT,
    output_tokens      BIGINT,
    cached_tokens      BIGINT,
    reasoning_tokens   BIGINT,
    status             INTEGER,
    stop_reason        VARCHAR,
    refusal_category   VARCHAR,
    latency_ms         DOUBLE,
    ip                 VARCHAR,
    country            VARCHAR,
    asn                VARCHAR,
    user_agent         VARCHAR,
    client_fingerprint VARCHAR,
    body_state         VARCHAR,
    sample_rate        DOUBLE,
    -- fingerprints of the prompt; all null where the prompt is absent
    prompt_hash        UBIGINT,            -- of the folded text, digits kept: equal items are equal
    n_prompt_bytes     INTEGER,
    n_prompt_tokens    INTEGER,
    script             UTINYINT,           -- dominant script, a code of detector.text.SCRIPTS
    capability         UTINYINT,           -- code of detector.text.CAPABILITIES
    technique          UTINYINT,           -- code of detector.text.TECHNIQUES
    technique_margin   FLOAT,              -- 0 to 1: probability of that technique
    training_permille  INTEGER,            -- probability, in thousandths, that it asks for training material at all
    shingles           UINTEGER[],         -- 4-token shingles, half of them, in order of appearance
    system_hash        UBIGINT,
    response_hash      UBIGINT,
    call_key           UBIGINT,            -- of the provider's own id; null where the log has none
    version            BIGINT              -- grows with each version of one record; null where a log has no versions
);
-- A warehouse made before these columns gains them.
ALTER TABLE core.request ADD COLUMN IF NOT EXISTS call_key UBIGINT;
ALTER TABLE core.request ADD COLUMN IF NOT EXISTS version BIGINT;

-- core.system_text: each distinct system prompt once, as a fingerprint.
CREATE TABLE IF NOT EXISTS core.system_text (
    system_hash UBIGINT PRIMARY KEY,
    n_bytes     INTEGER,
    training_permille INTEGER NOT NULL, -- probability, in thousandths, that it asks for training material
    shingles    UINTEGER[]
);

-- core.toolset: each distinct set of tools once, by name: up to 64 names.
CREATE TABLE IF NOT EXISTS core.toolset (
    toolset_hash UBIGINT PRIMARY KEY,
    tool_names   VARCHAR[] NOT NULL
);

-- night.exemplar: a few redacted, shortened prompts of each template family and of flagged accounts, with the words
-- of the template between the signs of detector.text.marking. The only text kept but for skeletons and contracts.
CREATE TABLE IF NOT EXISTS night.exemplar (
    day         DATE NOT NULL,
    account_id  VARCHAR NOT NULL,
    family_id   VARCHAR,             -- null when the prompt belongs to no family
    request_key UHUGEINT NOT NULL,
    request_id  VARCHAR NOT NULL,
    text        VARCHAR NOT NULL
);

-- night.family: template families of the night.
CREATE TABLE IF NOT EXISTS night.family (
    day          DATE NOT NULL,
    family_id    VARCHAR NOT NULL,   -- same template, same id, night after night
    kind         VARCHAR NOT NULL,   -- prompt | system | tools
    n_accounts   INTEGER NOT NULL,
    n_orgs       INTEGER,            -- null where no organisation is known
    n_requests   BIGINT NOT NULL,
    n_items      BIGINT NOT NULL,    -- distinct prompts within the family, or sent under the system prompt
    first_seen   DATE NOT NULL,
    n_nights     INTEGER NOT NULL DEFAULT 1,  -- on which it was seen, this one included
    skeleton     VARCHAR NOT NULL,   -- readable form, slots as <text>, <number>, <code> or <json>
    contract     VARCHAR NOT NULL DEFAULT '',  -- the form an answer is told to have, in words; '' for none known
    marks        UINTEGER[] NOT NULL DEFAULT [], -- hashes of the tags, keys, headings and labels that it demands
    shingles     UINTEGER[] NOT NULL -- its smallest ones: what ties it to its earlier nights
);

-- night.family_slot: what fills the slots of each prompt family: up to 512 of the shingles that belong to no family,
-- one in 32, the same ones in every family; and how many accounts sent each.
CREATE TABLE IF NOT EXISTS night.family_slot (
    day        DATE NOT NULL,
    family_id  VARCHAR NOT NULL,
    shingle    UINTEGER NOT NULL,
    n_accounts INTEGER NOT NULL
);

-- night.asked_again: what each account asks tonight that it asked on a night before, too; of the night that was
-- scanned last.
CREATE TABLE IF NOT EXISTS night.asked_again (
    account_id  VARCHAR NOT NULL,
    prompt_hash UBIGINT NOT NULL
);

-- night.family_account: who used which family.
CREATE TABLE IF NOT EXISTS night.family_account (
    day        DATE NOT NULL,
    family_id  VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    n_requests BIGINT NOT NULL,
    n_items    BIGINT NOT NULL,
    n_shared_items BIGINT NOT NULL,  -- of them, sent by another account too
    training_permille BIGINT NOT NULL DEFAULT 0 -- summed over requests: probability, in thousandths, that the text asks for training material
);
ALTER TABLE night.family_account ADD COLUMN IF NOT EXISTS n_repeated BIGINT DEFAULT 0; -- requests whose item the account sent on a night before

-- night.family_queue: what fills the slots of each prompt family; meanings: docs/reference/queues.md. Null is unknown.
CREATE TABLE IF NOT EXISTS night.family_queue (
    day                DATE NOT NULL,
    family_id          VARCHAR NOT NULL,
    n_requests         BIGINT NOT NULL,   -- judged
    n_accounts         BIGINT NOT NULL,
    n_items            BIGINT NOT NULL,
    is_sampled         BOOLEAN NOT NULL,  -- only some of the family's accounts were judged
    shared_item_ratio  DOUBLE,
    shared_use_ratio   DOUBLE,
    top_item_share     DOUBLE,
    shared_pairs       DOUBLE,
    chance_pairs       DOUBLE,
    least_list_size    DOUBLE,
    list_size          DOUBLE,
    evenness           DOUBLE,
    evenness_z         DOUBLE,
    geometric_z        DOUBLE,
    n_compared         BIGINT NOT NULL,   -- accounts with two or more items
    own_text_icc       DOUBLE,
    own_text_error     DOUBLE,
    own_text_z         DOUBLE,
    own_text_p         DOUBLE,
    length_icc         DOUBLE,
    script_icc         DOUBLE,
    capability_icc     DOUBLE,
    words_icc          DOUBLE,
    "order"            DOUBLE,
    order_z            DOUBLE,
    order_within       DOUBLE,
    order_within_z     DOUBLE,
    known_set          VARCHAR,
    known_set_share    DOUBLE,
    set_pairs          DOUBLE,
    set_chance_pairs   DOUBLE,
    set_chance_p       DOUBLE,
    repeat_ratio       DOUBLE,
    repeat_nights      DOUBLE,
    verdict            VARCHAR NOT NULL   -- a code of detector.text.VERDICTS
);

-- night.family_tie: pairs of families, of the night or of it and earlier ones, that are likely one operator's.
CREATE TABLE IF NOT EXISTS night.family_tie (
    day              DATE NOT NULL,
    first_family_id  VARCHAR NOT NULL,   -- before second_family_id in the alphabet
    second_family_id VARCHAR NOT NULL,
    kind             VARCHAR NOT NULL,   -- contract | source | wording | fragments
    strength         DOUBLE NOT NULL     -- natural log of a likelihood ratio against chance; kinds add up
);

-- night.account_day: what each account did on one day; meanings: docs/features.md.
CREATE TABLE IF NOT EXISTS night.account_day (
    day DATE NOT NULL,
    account_id VARCHAR NOT NULL,
    -- volume
    n_requests BIGINT NOT NULL,
    n_retries BIGINT NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    usual_requests DOUBLE,
    most_requests BIGINT,
    volume_z DOUBLE,
    volume_peer_z DOUBLE,
    volume_plan_z DOUBLE,
    -- timing
    first_sent_at TIMESTAMP NOT NULL,
    last_sent_at TIMESTAMP NOT NULL,
    hour_mask INTEGER NOT NULL,
    active_hours INTEGER NOT NULL,
    hour_counts INTEGER[] NOT NULL,
    hour_entropy_bits DOUBLE,
    busiest_hour_share DOUBLE,
    peak_requests_per_h DOUBLE,
    longest_pause_h DOUBLE,
    sleepless_hours DOUBLE,
    week_sleepless_hours DOUBLE,
    hour_shift_bits DOUBLE,
    median_gap_s DOUBLE,
    floor_gap_s DOUBLE,
    burstiness DOUBLE,
    -- templating
    n_prompts BIGINT NOT NULL,
    item_novelty DOUBLE,
    top_item_share DOUBLE,
    multi_sample_share DOUBLE,
    repeat_share DOUBLE,
    top_family_share DOUBLE,
    top_family_nights INTEGER,
    n_families INTEGER,
    shared_item_share DOUBLE,
    n_systems INTEGER,
    top_system_share DOUBLE,
    -- targeting
    top_capability INTEGER,
    top_capability_share DOUBLE,
    capability_concentration DOUBLE,
    capability_counts INTEGER[],
    capability_shift_bits DOUBLE,
    capability_narrowing DOUBLE,
    reasoning_trace_share DOUBLE,
    preference_labels_share DOUBLE,
    instruction_generation_share DOUBLE,
    trajectory_share DOUBLE,
    safety_rewrite_share DOUBLE,
    trace_cleaning_share DOUBLE,
    any_technique_share DOUBLE,
    training_share DOUBLE,
    refused_item_share DOUBLE,
    image_share DOUBLE,
    n_models INTEGER,
    new_model_share DOUBLE,
    new_model_lag_h DOUBLE,
    -- parameters
    n_parameter_sets INTEGER,
    top_parameters_share DOUBLE,
    top_parameters UBIGINT,
    parameters_constancy DOUBLE,
    zero_temperature_share DOUBLE,
    soft_label_share DOUBLE,
    max_top_logprobs INTEGER,
    multi_choice_share DOUBLE,
    choices_per_request DOUBLE,
    median_max_tokens DOUBLE,
    thinking_share DOUBLE,
    -- conversation
    single_turn_share DOUBLE,
    median_turns DOUBLE,
    sessions_per_request DOUBLE,
    tools_share DOUBLE,
    n_toolsets INTEGER,
    -- economy
    output_tokens_mean DOUBLE,
    output_ratio DOUBLE,
    reasoning_token_share DOUBLE,
    cached_token_share DOUBLE,
    length_stop_share DOUBLE,
    structured_share DOUBLE,
    contract_share DOUBLE,
    refusal_share DOUBLE,
    error_share DOUBLE,
    -- fan-in
    n_end_users INTEGER,
    top_end_user_share DOUBLE,
    n_scripts INTEGER,
    other_scripts_share DOUBLE,
    n_user_agents INTEGER,
    n_clients INTEGER,
    agents_per_client DOUBLE,
    -- identity
    n_api_keys INTEGER,
    n_ips INTEGER,
    n_asns INTEGER,
    n_countries INTEGER,
    country_mismatch_share DOUBLE,
    -- lifecycle
    account_age_days INTEGER,
    nights_seen INTEGER,
    days_since_first_seen INTEGER,
    dormant_days INTEGER,
    wake_ratio DOUBLE,
    growth_ratio DOUBLE,
    debut_requests BIGINT,
    first_night_share DOUBLE,
    first_burst_age_days INTEGER,
    is_approved BOOLEAN
);
-- A warehouse from before these columns gains them, at the end of the table; null on the nights it holds already.
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS volume_peer_z DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS volume_plan_z DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS peak_requests_per_h DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS sleepless_hours DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS week_sleepless_hours DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS hour_shift_bits DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS multi_sample_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS top_family_nights INTEGER;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS shared_item_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS capability_counts INTEGER[];
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS capability_shift_bits DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS capability_narrowing DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS training_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS refused_item_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS image_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS new_model_lag_h DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS top_parameters UBIGINT;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS parameters_constancy DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS max_top_logprobs INTEGER;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS choices_per_request DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS median_max_tokens DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS thinking_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS reasoning_token_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS cached_token_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS structured_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS contract_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS top_end_user_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS other_scripts_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS agents_per_client DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS country_mismatch_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS wake_ratio DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS debut_requests BIGINT;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS first_night_share DOUBLE;
ALTER TABLE night.account_day ADD COLUMN IF NOT EXISTS first_burst_age_days INTEGER;

-- night.account_score: how unusual each account is among its peers.
CREATE TABLE IF NOT EXISTS night.account_score (
    day        DATE NOT NULL,
    account_id VARCHAR NOT NULL,
    peer_group VARCHAR NOT NULL,
    score      DOUBLE NOT NULL,      -- 0 to 1
    p_value    DOUBLE NOT NULL,
    reasons    STRUCT(code VARCHAR, detail VARCHAR, value DOUBLE, usual_range VARCHAR)[] NOT NULL
);

-- night.lone_account: every busy account that was judged by itself, flagged or not: the next nights' reference.
CREATE TABLE IF NOT EXISTS night.lone_account (
    day                 DATE NOT NULL,
    account_id          VARCHAR NOT NULL,
    n_sampled           DOUBLE,          -- different prompts looked at
    own_text_share      DOUBLE,          -- of them, made from texts that the account sends again and again
    n_products          DOUBLE,          -- products that have one and the same text added
    added_text_share    DOUBLE,          -- of the prompts, those with the added text
    added_text_training DOUBLE,          -- mean probability that these ask for training material
    training_error      DOUBLE,          -- standard error of that mean
    sampled_training    DOUBLE,          -- the mean over all prompts looked at
    log_odds            DOUBLE NOT NULL  -- evidence of a lone extractor
);

-- night.fail_over: who was refused a prompt, and whose account sent it next; one row per account, heir and night. Of what
-- everybody sends nothing is kept.
CREATE TABLE IF NOT EXISTS night.fail_over (
    day        DATE NOT NULL,
    account_id VARCHAR NOT NULL,
    heir_id    VARCHAR,              -- null: nobody took it over
    n_requests BIGINT NOT NULL,      -- refused; tries of one request count once
    log_ratio  DOUBLE                -- natural log of a likelihood ratio against chance, of the most telling one
);

-- night.candidate: every community that was tested, flagged or not: the next nights' reference.
CREATE TABLE IF NOT EXISTS night.candidate (
    day          DATE NOT NULL,
    candidate_id INTEGER NOT NULL,
    n_accounts   INTEGER NOT NULL,
    evidence     DOUBLE NOT NULL,    -- log-odds
    flagged      BOOLEAN NOT NULL,
    has_content  BOOLEAN,            -- whether the log carried its prompts; null: scanned before pieces were kept
    is_head      BOOLEAN,            -- whether it is an observation of its own, no part of one with stronger evidence; null:
                                     -- scanned before that was kept
    n_nights     INTEGER,            -- on which it was judged, with this one; null: scanned before that was kept
    earlier_evidence DOUBLE          -- log-odds, sum of these nights without this one; null as before
);
ALTER TABLE night.candidate ADD COLUMN IF NOT EXISTS has_content BOOLEAN;
ALTER TABLE night.candidate ADD COLUMN IF NOT EXISTS is_head BOOLEAN;
ALTER TABLE night.candidate ADD COLUMN IF NOT EXISTS n_nights INTEGER;
ALTER TABLE night.candidate ADD COLUMN IF NOT EXISTS earlier_evidence DOUBLE;

-- night.candidate_evidence: every piece of evidence of every candidate, flagged or not: with night.candidate, all that
-- a verdict follows from, so that `backtest` can judge past nights by another policy. At most a few dozen a candidate.
CREATE TABLE IF NOT EXISTS night.candidate_evidence (
    day          DATE NOT NULL,
    candidate_id INTEGER NOT NULL,
    position     INTEGER NOT NULL,   -- in the order of weighing
    family       VARCHAR NOT NULL,   -- content | timing | identity | lifecycle
    code         VARCHAR NOT NULL,
    value        DOUBLE NOT NULL,
    usual_range  VARCHAR NOT NULL,
    log_odds     DOUBLE NOT NULL
);

-- night.candidate_account: who was in it. What shares members with something flagged, on whatever night, is no
-- reference.
CREATE TABLE IF NOT EXISTS night.candidate_account (
    day          DATE NOT NULL,
    candidate_id INTEGER NOT NULL,
    account_id   VARCHAR NOT NULL
);

-- night.campaign: what was flagged; the columns of the findings contract, and its evidence.
CREATE TABLE IF NOT EXISTS night.campaign (
    day           DATE NOT NULL,
    campaign_id   VARCHAR NOT NULL,
    score         DOUBLE NOT NULL,
    p_value       DOUBLE NOT NULL,
    confidence    VARCHAR NOT NULL,  -- low | medium | high
    recommended_action VARCHAR NOT NULL, -- watch | limit | verify | suspend
    n_accounts    INTEGER NOT NULL,
    n_requests    BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    first_seen    TIMESTAMP NOT NULL,
    last_seen     TIMESTAMP NOT NULL,
    capabilities  STRUCT(name VARCHAR, share DOUBLE)[] NOT NULL,
    techniques    STRUCT(name VARCHAR, share DOUBLE)[] NOT NULL,
    profile       VARCHAR NOT NULL,
    links         STRUCT(kind VARCHAR, strength DOUBLE, detail VARCHAR)[] NOT NULL,
    evidence      STRUCT(family VARCHAR, code VARCHAR, detail VARCHAR, value DOUBLE,
                         usual_range VARCHAR, log_odds DOUBLE)[] NOT NULL,
    summary       VARCHAR NOT NULL,
    status        VARCHAR NOT NULL,  -- new | growing | steady | dormant | resumed
    families      VARCHAR[] NOT NULL -- family ids it lives on, most used first
);

-- night.campaign_harvest: what each campaign asked for, and how it is made useful for training: one row per pair.
CREATE TABLE IF NOT EXISTS night.campaign_harvest (
    day           DATE NOT NULL,
    campaign_id   VARCHAR NOT NULL,
    capability    VARCHAR NOT NULL,  -- a name of detector.text.CAPABILITIES
    technique     VARCHAR NOT NULL,  -- a name of detector.text.TECHNIQUES
    n_requests    BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL
);

-- night.campaign_link: the kinds of links that hold each campaign together, and what it would be without each.
CREATE TABLE IF NOT EXISTS night.campaign_link (
    day              DATE NOT NULL,
    campaign_id      VARCHAR NOT NULL,
    kind             VARCHAR NOT NULL, -- template | system_prompt | tool_set | payment | address | client | parameters
                                       -- | fail_over | sign_up
    strength         DOUBLE NOT NULL,  -- as in night.campaign.links
    reach            DOUBLE NOT NULL,  -- 0 to 1: part of its accounts
    log_odds_without DOUBLE,           -- evidence that would be left; null when the group would fall apart
    stands_without   BOOLEAN NOT NULL  -- would be flagged all the same
);

-- night.campaign_event: what became of each campaign, also of those not seen any more; meanings:
-- docs/reference/campaigns.md.
CREATE TABLE IF NOT EXISTS night.campaign_event (
    day         DATE NOT NULL,
    campaign_id VARCHAR NOT NULL,
    event       VARCHAR NOT NULL,    -- new | growing | steady | dormant | resumed | replaced | merged | split
    other_id    VARCHAR,             -- the other campaign of a merger or a split
    n_accounts  INTEGER NOT NULL,
    n_stopped   INTEGER              -- of replaced accounts: those that sent nothing more
);

-- night.flagged_account: one row per flagged account and campaign.
CREATE TABLE IF NOT EXISTS night.flagged_account (
    day         DATE NOT NULL,
    account_id  VARCHAR NOT NULL,
    campaign_id VARCHAR,             -- null when alone
    score       DOUBLE NOT NULL,
    p_value     DOUBLE NOT NULL,
    confidence  VARCHAR NOT NULL,
    recommended_action VARCHAR NOT NULL,
    reasons     STRUCT(code VARCHAR, detail VARCHAR, value DOUBLE, usual_range VARCHAR)[] NOT NULL,
    first_seen  TIMESTAMP NOT NULL,
    last_seen   TIMESTAMP NOT NULL,
    n_requests  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL
);

-- night.drift: whether calibration still holds for whom nobody flags: one row per night and lane; meanings:
-- docs/reference/drift.md.
CREATE TABLE IF NOT EXISTS night.drift (
    day             DATE NOT NULL,
    lane            VARCHAR NOT NULL,   -- a peer group | candidates
    n_accounts      BIGINT NOT NULL,    -- judged; candidates in their lane
    n_low           BIGINT NOT NULL,    -- of them, with a p-value of 0.05 or less
    n_reference     BIGINT NOT NULL,
    tolerated_share DOUBLE NOT NULL,
    factor          DOUBLE NOT NULL,    -- 0 to 4: what the night wins or loses
    evidence        DOUBLE NOT NULL,    -- of all nights so far, 0 to warn_at
    warn_at         DOUBLE NOT NULL,
    warned          BOOLEAN NOT NULL,
    since           DATE NOT NULL,      -- the night on which the present run of evidence began
    moved           STRUCT(feature VARCHAR, distance DOUBLE)[] NOT NULL -- empty without a warning
);

-- night.learned_order: what people's decisions have taught about the order of the queue, as of the latest scan: one row per
-- level; meanings: docs/reference/queue-order.md.
CREATE TABLE IF NOT EXISTS night.learned_order (
    level          VARCHAR PRIMARY KEY,  -- campaign | account
    day            DATE NOT NULL,        -- the latest night then
    standing       VARCHAR NOT NULL,     -- used | no decisions | few decisions | no gain
    n_approved     BIGINT NOT NULL,
    n_dismissed    BIGINT NOT NULL,
    n_later        BIGINT NOT NULL,      -- decisions that were compared on
    n_later_nights BIGINT NOT NULL,
    present_share  DOUBLE,               -- of pairs, the part with the approved case first; null without a comparison
    learned_share  DOUBLE,
    gain_low       DOUBLE,
    gain_high      DOUBLE
);

-- night.learned_case: what the queue is ordered by where past decisions are used: cases at their latest state.
CREATE TABLE IF NOT EXISTS night.learned_case (
    level      VARCHAR NOT NULL,
    subject_id VARCHAR NOT NULL,
    day        DATE NOT NULL,            -- of the finding
    log_odds   DOUBLE NOT NULL           -- only their order means something
);

-- night.summary: one row per scanned night, as the summary and the console show it.
CREATE TABLE IF NOT EXISTS night.summary (
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
