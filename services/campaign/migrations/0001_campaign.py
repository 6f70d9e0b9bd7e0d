"""Templates, campaigns and their runs, the send ledger, caps, suppressions, outcomes, purchases."""

from alembic import op

revision = "campaign_0001"
down_revision = None

TABLES = """
CREATE TABLE log_cursor (reader text PRIMARY KEY, position bigint NOT NULL);

CREATE TABLE template (
    template_id uuid PRIMARY KEY,
    name text NOT NULL,
    channel text NOT NULL DEFAULT 'email',
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz
);

CREATE TABLE template_version (
    template_id uuid NOT NULL REFERENCES template ON DELETE CASCADE,
    version int NOT NULL,
    subject text NOT NULL,
    html text NOT NULL,
    text text,
    prepared_subject text NOT NULL,
    prepared_html text NOT NULL,
    prepared_text text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (template_id, version)
);
COMMENT ON COLUMN template_version.prepared_html IS 'what is rendered: CSS inlined, active content out, links numbered';

CREATE TABLE campaign (
    campaign_id uuid PRIMARY KEY,
    name text NOT NULL,
    channel text NOT NULL DEFAULT 'email',
    purpose text NOT NULL CHECK (purpose IN ('promotional', 'transactional')),
    segment_id uuid NOT NULL,
    template_id uuid NOT NULL REFERENCES template,
    status text NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'scheduled', 'preparing', 'sending', 'paused', 'sent', 'cancelled')),
    send_at timestamptz,
    send_at_local timestamp,
    send_at_zone text,
    due_at timestamptz,
    holdout_share double precision NOT NULL DEFAULT 0 CHECK (holdout_share BETWEEN 0 AND 0.5),
    assignment_salt text NOT NULL,
    recommend_n int NOT NULL DEFAULT 0 CHECK (recommend_n BETWEEN 0 AND 50),
    recommend_filter jsonb NOT NULL DEFAULT '{}',
    attribution_days int NOT NULL DEFAULT 28 CHECK (attribution_days BETWEEN 1 AND 365),
    replay boolean NOT NULL DEFAULT false,
    problem text,
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaign_due ON campaign (due_at) WHERE due_at IS NOT NULL;
COMMENT ON COLUMN campaign.due_at IS 'when the sweep has to start it; NULL: nothing to start';
COMMENT ON COLUMN campaign.problem IS 'why it does not go on, for people to read';

CREATE TABLE run (
    run_id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
    number int NOT NULL,
    status text NOT NULL CHECK (status IN ('preparing', 'sending', 'paused', 'sent', 'cancelled')),
    channel text NOT NULL,
    purpose text NOT NULL,
    segment_id uuid NOT NULL,
    template_id uuid NOT NULL,
    template_version int NOT NULL,
    subject text NOT NULL,
    holdout_share double precision NOT NULL,
    assignment_salt text NOT NULL,
    recommend_n int NOT NULL,
    recommend_filter jsonb NOT NULL,
    attribution_days int NOT NULL,
    replay boolean NOT NULL,
    as_of timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (campaign_id, number)
);
CREATE INDEX run_open ON run (run_id) WHERE status IN ('preparing', 'sending', 'paused');
COMMENT ON COLUMN run.as_of IS 'the business instant it was sent at; attribution counts from here';
COMMENT ON COLUMN run.subject IS 'the subject line without what is personal in it';

CREATE TABLE send (
    send_id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    step smallint NOT NULL DEFAULT 0,
    visit int NOT NULL DEFAULT 0,
    identity_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    arm text CHECK (arm IN ('treated', 'holdout')),
    address text,
    address_index text,
    state text NOT NULL CHECK (state IN (
        'pending', 'handing_over', 'sent', 'failed', 'uncertain', 'holdout', 'suppressed', 'no_consent', 'no_address',
        'duplicate_address', 'capped', 'not_allowed', 'merged', 'erased', 'cancelled', 'expired')),
    reason text NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    lease uuid,
    lease_until timestamptz,
    hand_over uuid,
    handed_over_at timestamptz,
    settled_at timestamptz,
    interruptions smallint NOT NULL DEFAULT 0,
    reply text,
    items jsonb
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX send_once_per_person ON send (run_id, step, visit, identity_id);
CREATE UNIQUE INDEX send_once_per_address ON send (run_id, step, visit, address_index) WHERE address_index IS NOT NULL;
CREATE INDEX send_due ON send (run_id, due_at, send_id) WHERE state = 'pending';
CREATE INDEX send_open ON send (run_id) WHERE state = 'handing_over';
CREATE INDEX send_of_run ON send (run_id, send_id);
CREATE INDEX send_of_customer ON send (customer_id, send_id);
CREATE INDEX send_of_identity ON send (identity_id);
COMMENT ON TABLE send IS 'the ledger: one row is the truth about one message to one person';
COMMENT ON COLUMN send.identity_id IS 'the customer id at the time of the freeze; customer_id follows merges and splits';
COMMENT ON COLUMN send.hand_over IS 'the window (at most 20 messages of one connection) it was last handed over in';

CREATE TABLE cap_person (customer_id uuid PRIMARY KEY);
COMMENT ON TABLE cap_person IS 'one row per person, locked in id order while slots are taken';

CREATE TABLE cap_slot (
    send_id uuid PRIMARY KEY,
    identity_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    purpose text NOT NULL,
    taken_at timestamptz NOT NULL
);
CREATE INDEX cap_slot_of_customer ON cap_slot (customer_id, purpose, taken_at);
CREATE INDEX cap_slot_of_identity ON cap_slot (identity_id);
CREATE INDEX cap_slot_age ON cap_slot (taken_at);

CREATE TABLE suppression (
    address_index text NOT NULL,
    channel text NOT NULL,
    scope text NOT NULL CHECK (scope IN ('promotional', 'all')),
    address text NOT NULL,
    reason text NOT NULL,
    source text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (address_index, channel, scope)
);
CREATE INDEX suppression_by_time ON suppression (created_at DESC, address_index);

CREATE TABLE outcome (
    outcome_id uuid PRIMARY KEY,
    send_id uuid NOT NULL REFERENCES send ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('delivered', 'opened', 'clicked', 'bounced', 'complained', 'unsubscribed')),
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    user_agent text,
    link_number int,
    link_url text,
    bot text,
    message_id text NOT NULL UNIQUE,
    lease_until timestamptz,
    published_at timestamptz
);
CREATE INDEX outcome_of_send ON outcome (send_id, kind);
CREATE INDEX outcome_unpublished ON outcome (outcome_id) WHERE published_at IS NULL AND bot IS NULL;
COMMENT ON COLUMN outcome.bot IS 'why this was no person: kept, never counted, never published';

CREATE TABLE purchase (
    order_id text PRIMARY KEY,
    identity_id uuid,
    customer_id uuid,
    ordered_at timestamptz NOT NULL,
    revenue_minor bigint NOT NULL,
    currency text NOT NULL,
    trusted boolean NOT NULL,
    stated_position bigint NOT NULL
);
CREATE INDEX purchase_of_customer ON purchase (customer_id, ordered_at) INCLUDE (revenue_minor, currency);
CREATE INDEX purchase_of_identity ON purchase (identity_id);

CREATE TABLE refund (
    position bigint PRIMARY KEY,
    order_id text NOT NULL,
    amount_minor bigint,
    currency text
);
CREATE INDEX refund_of_order ON refund (order_id);
COMMENT ON COLUMN refund.amount_minor IS 'NULL: the whole order';

CREATE TABLE sending_policy (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    quiet_start time NOT NULL DEFAULT '21:00',
    quiet_end time NOT NULL DEFAULT '08:00',
    cap_messages int NOT NULL DEFAULT 3 CHECK (cap_messages BETWEEN 0 AND 1000),
    cap_days int NOT NULL DEFAULT 7 CHECK (cap_days BETWEEN 1 AND 366),
    expire_hours int NOT NULL DEFAULT 72 CHECK (expire_hours BETWEEN 1 AND 720),
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO sending_policy DEFAULT VALUES;
COMMENT ON TABLE sending_policy IS 'for promotional messages: quiet hours, at most so many per person, when to give up';
"""


def upgrade() -> None:
    op.execute(TABLES)
