"""Since when a model has served: the champion is the one that took over last, be it new or restored."""

from alembic import op

revision = "recommend_0005"
down_revision = "recommend_0004"

STATEMENTS = """
ALTER TABLE model ADD COLUMN serving_since timestamptz;
UPDATE model SET serving_since = published_at;
CREATE INDEX model_serving ON model (serving_since) WHERE path IS NOT NULL;
COMMENT ON COLUMN model.serving_since IS 'NULL: it never served; it was tried, and did not beat the champion';
COMMENT ON COLUMN model.published_at IS 'when its run ended';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("ALTER TABLE model DROP COLUMN serving_since")
