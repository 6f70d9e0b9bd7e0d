"""The features of behaviour are read from the index alone: a lively visitor's rows lie all over the table."""

from alembic import op

revision = "segmentation_0007"
down_revision = "segmentation_0006"

STATEMENTS = """
DROP INDEX event_fact_customer;
CREATE INDEX event_fact_customer ON event_fact (customer_id, occurred_at) INCLUDE (event, session_id, position);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP INDEX event_fact_customer")
    op.execute("CREATE INDEX event_fact_customer ON event_fact (customer_id, occurred_at)")
