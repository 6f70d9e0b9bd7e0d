"""Customers that are behind are taken in the order in which they fell behind."""

from alembic import op

revision = "segmentation_0006"
down_revision = "segmentation_0005"

STATEMENTS = """
DROP INDEX touched_due;
CREATE INDEX touched_oldest ON touched (due_at, position);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
