"""Find the messages that failed without reading the ledger: the system page counts them every few seconds."""

from alembic import op

revision = "campaign_0003"
down_revision = "campaign_0002"


def upgrade() -> None:
    op.execute("CREATE INDEX send_failed ON send (settled_at) WHERE state = 'failed'")


def downgrade() -> None:
    op.execute("DROP INDEX send_failed")
