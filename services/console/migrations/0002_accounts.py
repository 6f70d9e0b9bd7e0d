"""Two-step log-in, links to reset a password, sessions a person can tell apart; an audit log that is only added to."""

from alembic import op

revision = "console_0002"
down_revision = "console_0001"

AUDIT = """
ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_kind_check;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_actor_kind_check
    CHECK (actor_kind IN ('user', 'key', 'system', 'visitor'));
CREATE INDEX audit_log_action ON audit_log (action, entry_id);
COMMENT ON COLUMN audit_log.actor_kind IS 'visitor: somebody who is not logged in, such as whoever mistypes a password';
"""

GUARD = """
CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '1 year' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to; entries go by retention, after a year at the earliest';
END
$$;
CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION keep_audit_log();
"""

TWO_STEP = """
ALTER TABLE console_user
    ADD COLUMN totp_secret text,
    ADD COLUMN totp_on_since timestamptz,
    ADD COLUMN totp_last_step bigint NOT NULL DEFAULT 0,
    ADD COLUMN notices text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN console_user.totp_secret IS 'sealed; while totp_on_since is NULL it waits to be confirmed';
COMMENT ON COLUMN console_user.totp_last_step IS 'the 30-second step of the last code that was taken: none counts twice';
COMMENT ON COLUMN console_user.notices IS 'codes of what to tell this person on the next log-in';

CREATE TABLE recovery_code (
    user_id uuid NOT NULL REFERENCES console_user ON DELETE CASCADE,
    code_hash text NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON COLUMN recovery_code.code_hash IS 'a keyed hash: this table opens nothing without the key outside the database';

CREATE TABLE access_policy (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    two_step_roles text[] NOT NULL DEFAULT '{}'
);
INSERT INTO access_policy DEFAULT VALUES;
COMMENT ON COLUMN access_policy.two_step_roles IS 'people of these roles must set up the second step before anything else';
"""

RESET = """
CREATE TABLE password_reset (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES console_user ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_reset_user ON password_reset (user_id);
CREATE INDEX password_reset_expiry ON password_reset (expires_at);
COMMENT ON COLUMN password_reset.token_hash IS 'SHA-256 of what stands in the link; the row goes when the link is used';

CREATE TABLE reset_request (
    request_id uuid PRIMARY KEY,
    email_index text NOT NULL,
    language text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0
);
CREATE INDEX reset_request_due ON reset_request (due_at);
COMMENT ON TABLE reset_request IS 'somebody forgot a password: a worker sees whether there is such a person, and mails the link';

ALTER TABLE login_attempt DROP CONSTRAINT login_attempt_kind_check;
ALTER TABLE login_attempt ADD CONSTRAINT login_attempt_kind_check
    CHECK (kind IN ('user', 'address', 'reset_user', 'reset_address'));
"""

SESSION = """
ALTER TABLE session
    ADD COLUMN session_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN address text,
    ADD COLUMN device text;
CREATE UNIQUE INDEX session_id ON session (session_id);
COMMENT ON COLUMN session.address IS 'sealed: where it was opened from';
COMMENT ON COLUMN session.device IS 'the browser and its system, as the person can recognise them';
"""


def upgrade() -> None:
    op.execute(AUDIT)
    op.execute(GUARD)
    op.execute(TWO_STEP)
    op.execute(RESET)
    op.execute(SESSION)
