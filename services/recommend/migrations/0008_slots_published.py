"""The slots there are, for campaign: a letter may be filled by one."""

from alembic import op

revision = "recommend_0008"
down_revision = "recommend_0007"

STATEMENTS = """
CREATE VIEW recommend_out.slots_v1 AS SELECT name FROM slot;
COMMENT ON VIEW recommend_out.slots_v1 IS 'the places of the shop that can be asked for by name';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
