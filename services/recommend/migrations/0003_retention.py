"""How far the log was read, for its owner; and old interactions found by their age."""

from alembic import op

revision = "recommend_0003"
down_revision = "recommend_0002"

STATEMENTS = """
CREATE VIEW recommend_out.cursors_v1 AS
SELECT reader, position FROM log_cursor WHERE reader = 'recommend';
COMMENT ON VIEW recommend_out.cursors_v1 IS 'how far profile''s log was read: what is behind it may be let go';
CREATE INDEX interaction_age ON interaction USING brin (occurred_at);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
