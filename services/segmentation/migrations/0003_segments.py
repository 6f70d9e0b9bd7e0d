"""Segments, who is in them, and the log of who came and went."""

from alembic import op

revision = "segmentation_0003"
down_revision = "segmentation_0002"

TABLES = """
CREATE TABLE segment (
    segment_id uuid PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    rule jsonb NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz
);
CREATE UNIQUE INDEX segment_name ON segment (lower(name)) WHERE archived_at IS NULL;

-- How far a segment's members are: of which version of the rule and as of when. stale: to be refreshed as a whole.
CREATE TABLE segment_state (
    segment_id uuid PRIMARY KEY REFERENCES segment,
    size integer NOT NULL DEFAULT 0,
    version integer,
    stale boolean NOT NULL DEFAULT true,
    refreshed_at timestamptz,
    error text,
    failed_at timestamptz
);

CREATE TABLE membership (
    segment_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (segment_id, customer_id)
);
CREATE INDEX membership_customer ON membership (customer_id);

CREATE TABLE membership_log (
    position bigint PRIMARY KEY,
    segment_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    entered boolean NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX membership_log_customer ON membership_log (customer_id);
"""

VIEWS = """
CREATE VIEW segmentation_out.segments_v1 AS
SELECT s.segment_id, s.name, t.size, s.version, t.refreshed_at
FROM segment AS s
JOIN segment_state AS t USING (segment_id)
WHERE s.archived_at IS NULL;

CREATE VIEW segmentation_out.memberships_v1 AS
SELECT segment_id, customer_id, since FROM membership;

CREATE VIEW segmentation_out.membership_log_v1 AS
SELECT position, segment_id, customer_id, entered, at FROM membership_log;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(VIEWS)
