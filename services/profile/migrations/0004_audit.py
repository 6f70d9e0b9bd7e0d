"""The audit log of profile: only added to, read by the console through a published view."""

from alembic import op

revision = "profile_0004"
down_revision = "profile_0003"

TABLE = """
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
CREATE INDEX audit_log_action ON audit_log (action, entry_id);
COMMENT ON TABLE audit_log IS 'every change by a person or a key, written in the transaction of the change';
COMMENT ON COLUMN audit_log.actor_name IS 'a key''s or a program''s; of a person there is the id, whose name the console knows';
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

VIEW = """
CREATE VIEW profile_out.audit_v1 AS
SELECT entry_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after, request_id
FROM audit_log;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(GUARD)
    op.execute(VIEW)
