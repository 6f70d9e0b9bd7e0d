"""Intake, the event log, identities and what is derived of them: links, customers, traits, consents."""

from alembic import op

revision = "profile_0001"
down_revision = None

# Rows pass through the intake within seconds. They stay inline and uncompressed, so that the log compresses them
# once; vacuum follows the deletions closely.
INTAKE = """
CREATE TABLE log_head (log text PRIMARY KEY, position bigint NOT NULL);

CREATE TABLE intake (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    key_id uuid,
    source text NOT NULL,
    trusted boolean NOT NULL,
    imported boolean NOT NULL,
    message_key uuid NOT NULL,
    message_id text NOT NULL,
    type text NOT NULL,
    event text,
    occurred_at timestamptz NOT NULL,
    own_kind text NOT NULL,
    own_lookup text NOT NULL,
    own_sealed text,
    claims jsonb,
    payload jsonb NOT NULL
) WITH (
    toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0.5
);
ALTER TABLE intake ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON COLUMN intake.message_key IS 'hash of trust and message id: a public key cannot use up the id of a server event';
COMMENT ON COLUMN intake.claims IS 'other identifiers of this event: [[kind, lookup, sealed], …]';

CREATE TABLE message_seen (
    message_key uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
CREATE INDEX message_seen_at ON message_seen USING brin (seen_at);

CREATE TABLE rejected_event (
    rejected_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    key_id uuid,
    source text NOT NULL,
    trusted boolean NOT NULL,
    imported boolean NOT NULL,
    type text,
    reasons jsonb NOT NULL,
    body text NOT NULL,
    shared text,
    replayed_at timestamptz,
    replayed_by text
);
CREATE INDEX rejected_event_newest ON rejected_event (rejected_id DESC) WHERE replayed_at IS NULL;
COMMENT ON COLUMN rejected_event.body IS 'the whole event as it came, sealed';
COMMENT ON COLUMN rejected_event.type IS 'the type its address named; NULL: it came in a batch, which names it itself';
COMMENT ON COLUMN rejected_event.shared IS 'what its batch said of all its events (sentAt, context, integrations), sealed';
COMMENT ON COLUMN rejected_event.reasons IS '[{"code", "path", "message"}, …]';
"""

LOG = """
CREATE TABLE event_log (
    position bigint NOT NULL PRIMARY KEY,
    message_id text NOT NULL,
    type text NOT NULL,
    event text,
    identity_id uuid,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    imported boolean NOT NULL,
    trusted boolean NOT NULL,
    source text NOT NULL,
    payload jsonb NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX event_log_timeline ON event_log (identity_id, occurred_at, position);
"""

IDENTITIES = """
CREATE TABLE identity (
    identity_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (
        kind IN ('user_id', 'anonymous_id', 'email', 'phone', 'wechat_openid', 'wechat_unionid')
    ),
    lookup text NOT NULL,
    sealed text,
    customer_id uuid NOT NULL,
    vouched boolean NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (kind, lookup)
);
CREATE INDEX identity_customer ON identity (customer_id);
COMMENT ON COLUMN identity.lookup IS 'the id itself; for contact kinds its keyed hash';
COMMENT ON COLUMN identity.customer_id IS 'smallest identity_id of the component this identity is in';
COMMENT ON COLUMN identity.vouched IS 'whether a server key has ever named it';

CREATE TABLE identity_link (
    link_id uuid PRIMARY KEY,
    a uuid NOT NULL REFERENCES identity,
    b uuid NOT NULL REFERENCES identity,
    evidence text NOT NULL,
    alias boolean NOT NULL,
    trusted boolean NOT NULL,
    made_by uuid,
    source text NOT NULL,
    made_at timestamptz NOT NULL,
    refused text,
    undone_at timestamptz,
    undone_by text,
    live boolean NOT NULL GENERATED ALWAYS AS (refused IS NULL AND undone_at IS NULL) STORED,
    CHECK (a < b),
    UNIQUE (a, b)
);
CREATE INDEX identity_link_b ON identity_link (b);
COMMENT ON COLUMN identity_link.evidence IS 'message id of the event that said so';
COMMENT ON COLUMN identity_link.refused IS 'why this link joins nobody; NULL: it does, unless undone';

CREATE TABLE identity_trait (
    identity_id uuid PRIMARY KEY REFERENCES identity,
    traits jsonb NOT NULL
);
COMMENT ON COLUMN identity_trait.traits IS '{name: [value, microseconds since 1970, trusted]}; contact fields sealed';
"""

CUSTOMERS = """
CREATE TABLE customer_seen (
    customer_id uuid PRIMARY KEY,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX customer_seen_newest ON customer_seen (last_seen_at, customer_id);

CREATE TABLE customer (
    customer_id uuid PRIMARY KEY,
    identified boolean NOT NULL,
    user_id text,
    email text,
    phone text,
    name text,
    locale text,
    time_zone text,
    country text,
    city text,
    traits jsonb NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE customer IS 'derived from the traits of a customer''s identities; no row: nothing is known but activity';

CREATE TABLE customer_name_token (
    token text NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (token, customer_id)
);
CREATE INDEX customer_name_token_customer ON customer_name_token (customer_id);
COMMENT ON COLUMN customer_name_token.token IS 'keyed hash of a part of the name';

CREATE TABLE consent (
    consent_id uuid PRIMARY KEY,
    identity_id uuid NOT NULL REFERENCES identity,
    purpose text NOT NULL,
    channel text NOT NULL,
    granted boolean NOT NULL,
    decided_at timestamptz NOT NULL,
    source text NOT NULL,
    text_version text,
    evidence text NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (identity_id, purpose, channel, decided_at, granted)
);
COMMENT ON TABLE consent IS 'every decision, append-only; the newest one over all of a customer''s identities is in force';
"""

VIEWS = """
CREATE VIEW profile_out.events_v1 AS
SELECT e.position, e.message_id, e.type, e.event, e.identity_id, i.customer_id, e.occurred_at, e.received_at,
       e.imported, e.trusted, e.source, e.payload
FROM event_log e LEFT JOIN identity i USING (identity_id);

CREATE VIEW profile_out.identity_map_v1 AS
SELECT identity_id, customer_id FROM identity;

CREATE VIEW profile_out.customers_v1 AS
SELECT s.customer_id, s.first_seen_at, s.last_seen_at, COALESCE(c.identified, false) AS identified, c.user_id, c.email,
       c.phone, c.name, c.locale, c.time_zone, c.country, c.city, COALESCE(c.traits, '{}') AS traits,
       COALESCE(c.updated_at, s.first_seen_at) AS updated_at
FROM customer_seen s LEFT JOIN customer c USING (customer_id);

CREATE VIEW profile_out.consents_v1 AS
SELECT DISTINCT ON (i.customer_id, c.purpose, c.channel)
       i.customer_id, c.purpose, c.channel, c.granted, c.decided_at, c.source
FROM consent c JOIN identity i USING (identity_id)
ORDER BY i.customer_id, c.purpose, c.channel, c.decided_at DESC, c.granted;
"""


def upgrade() -> None:
    for statements in (INTAKE, LOG, IDENTITIES, CUSTOMERS, VIEWS):
        op.execute(statements)
