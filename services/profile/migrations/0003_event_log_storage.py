"""Large payloads compressed by lz4 where this Postgres has it, and no event without somebody it belongs to."""

from alembic import op

revision = "profile_0003"
down_revision = "profile_0002"

STORAGE = """
DO $$
BEGIN
    ALTER TABLE event_log ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;  -- built without it: pglz then
END
$$;
ALTER TABLE event_log ADD CONSTRAINT event_log_somebody
    CHECK (identity_id IS NOT NULL OR type IN ('merge', 'split'));
"""


def upgrade() -> None:
    op.execute(STORAGE)
