"""How far the log was read, for its owner."""

from alembic import op

revision = "campaign_0004"
down_revision = "campaign_0003"

STATEMENTS = """
CREATE VIEW campaign_out.cursors_v1 AS
SELECT reader, position FROM log_cursor WHERE reader = 'campaign';
COMMENT ON VIEW campaign_out.cursors_v1 IS 'how far profile''s log was read: what is behind it may be let go';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
