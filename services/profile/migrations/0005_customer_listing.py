"""Customers are listed by five minutes: an index over the very instant they were last seen would change with every event."""

from alembic import op

revision = "profile_0005"
down_revision = "profile_0004"

STATEMENTS = """
ALTER TABLE customer_seen ADD COLUMN listed_at timestamptz NOT NULL
    GENERATED ALWAYS AS (date_bin('5 minutes', last_seen_at, timestamptz '2000-01-01 00:00:00+00')) STORED;
COMMENT ON COLUMN customer_seen.listed_at
    IS 'the five minutes they were last seen in: while it stays the same, an update touches no index';
DROP INDEX customer_seen_newest;
CREATE INDEX customer_seen_listed ON customer_seen (listed_at);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
