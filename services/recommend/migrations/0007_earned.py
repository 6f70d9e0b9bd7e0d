"""What was given back of orders, line by line or in money, and from how many items a place was drawn."""

from alembic import op

revision = "recommend_0007"
down_revision = "recommend_0006"

REFUNDS = """
CREATE TABLE refund (
    position bigint PRIMARY KEY,
    order_id text NOT NULL,
    whole boolean NOT NULL,
    amount_minor bigint CHECK (amount_minor >= 0),
    currency text,
    trusted boolean NOT NULL,
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX refund_order ON refund (order_id);
COMMENT ON COLUMN refund.whole IS 'names no products: of the order, not of some lines; those of others are interactions';
COMMENT ON COLUMN refund.amount_minor IS 'given back in all, where it was told; NULL of a whole order: all of it';
INSERT INTO refund (position, order_id, whole, trusted)
SELECT cancel_position, order_id, true, true FROM purchase WHERE cancel_position IS NOT NULL;

ALTER TABLE purchase ADD COLUMN total_minor bigint, ADD COLUMN total_currency text;
COMMENT ON COLUMN purchase.total_minor IS 'what the order was worth in all, as its event says; NULL: not told';
CREATE INDEX interaction_returned ON interaction (occurred_at) WHERE kind = 7;
"""

DRAWN = """
ALTER TABLE explored ADD COLUMN pool integer CHECK (pool > 0);
COMMENT ON COLUMN explored.pool IS 'among how many items this answer drew; NULL: from before this was written down';
"""


def upgrade() -> None:
    op.execute(REFUNDS)
    op.execute(DRAWN)
