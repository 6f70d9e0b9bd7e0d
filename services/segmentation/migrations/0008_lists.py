"""Segments of customers who were listed, such as an audience that was kept."""

from alembic import op

revision = "segmentation_0008"
down_revision = "segmentation_0007"

# identity_id: as it was listed; customer_id: whom it belongs to now.
STATEMENTS = """
CREATE TABLE listed (
    list_id uuid NOT NULL,
    identity_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (list_id, identity_id)
);
CREATE INDEX listed_customer ON listed (customer_id, list_id);
CREATE INDEX listed_identity ON listed (identity_id);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
