"""The console's own things: the shop's settings, API keys, people and their sessions, the audit log."""

from alembic import op

revision = "console_0001"
down_revision = None

TABLES = """
CREATE TABLE shop (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    name text NOT NULL DEFAULT 'Shop',
    time_zone text NOT NULL DEFAULT 'Asia/Shanghai',
    currency text NOT NULL DEFAULT 'CNY' CHECK (currency ~ '^[A-Z]{3}$'),
    locale text NOT NULL DEFAULT 'en',
    region text NOT NULL DEFAULT 'CN' CHECK (region ~ '^[A-Z]{2}$'),
    public_url text NOT NULL DEFAULT '',
    postal_address text NOT NULL DEFAULT '',
    sender_email text NOT NULL DEFAULT '',
    sender_name text NOT NULL DEFAULT '',
    sending_enabled boolean NOT NULL DEFAULT true,
    allow_list text[] DEFAULT '{}',
    business_clock timestamptz,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN shop.allow_list IS 'mail goes to these addresses only; NULL: to everybody. Starts empty: to nobody';
INSERT INTO shop DEFAULT VALUES;

CREATE TABLE api_key (
    key_id uuid PRIMARY KEY,
    key_hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('collect', 'storefront', 'server', 'admin')),
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    revoked_at timestamptz
);
COMMENT ON COLUMN api_key.key_hash IS 'SHA-256 of the key; the key itself is shown once and kept nowhere';
COMMENT ON COLUMN api_key.hint IS 'the first characters, so that a person can tell keys apart';

CREATE TABLE console_user (
    user_id uuid PRIMARY KEY,
    email text NOT NULL,
    email_index text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'operator', 'marketer', 'approver', 'analyst', 'viewer')),
    language text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz,
    disabled_at timestamptz,
    version bigint NOT NULL DEFAULT 1
);
COMMENT ON COLUMN console_user.email IS 'sealed; found by email_index';

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES console_user ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);
COMMENT ON COLUMN session.token_hash IS 'SHA-256 of the cookie, so that this table opens no session';

CREATE TABLE login_attempt (
    kind text NOT NULL CHECK (kind IN ('user', 'address')),
    subject text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX login_attempt_subject ON login_attempt (kind, subject, at);
CREATE INDEX login_attempt_at ON login_attempt (at);
COMMENT ON TABLE login_attempt IS 'failed log-ins of late; subject: a keyed hash of the e-mail or the address';

CREATE TABLE audit_log (
    entry_id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'key', 'system')),
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    before jsonb,
    after jsonb,
    request_id text
);
CREATE INDEX audit_log_subject ON audit_log (subject_kind, subject_id, entry_id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, entry_id);
COMMENT ON COLUMN audit_log.actor_name IS 'sealed for users: their e-mail at that time';
"""

VIEWS = """
CREATE VIEW console_out.shop_v1 AS
SELECT name, time_zone, currency, locale, region, public_url, postal_address, sender_email, sender_name,
       sending_enabled, allow_list, business_clock
FROM shop;

CREATE VIEW console_out.api_keys_v1 AS
SELECT key_id, key_hash, kind, name, scopes, revoked_at
FROM api_key;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(VIEWS)
