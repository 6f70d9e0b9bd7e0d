"""How far the log was read, for its owner; and old events found by their age."""

from alembic import op

revision = "segmentation_0005"
down_revision = "segmentation_0004"

STATEMENTS = """
CREATE VIEW segmentation_out.cursors_v1 AS
SELECT reader, position FROM log_cursor WHERE reader = 'segmentation';
COMMENT ON VIEW segmentation_out.cursors_v1 IS 'how far profile''s log was read: what is behind it may be let go';
CREATE INDEX event_fact_age ON event_fact USING brin (occurred_at);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
