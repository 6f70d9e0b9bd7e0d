"""Facts read from profile's log: events, purchases and their lines, and who is to be computed again."""

from alembic import op

revision = "segmentation_0001"
down_revision = None

TABLES = """
CREATE TABLE log_head (log text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE log_cursor (reader text PRIMARY KEY, position bigint NOT NULL);

-- One row per behavioural log entry. event: the name of a track call, or $page, $screen, $identify, $group.
-- properties without the products of an order, which are order_line's.
CREATE TABLE event_fact (
    position bigint PRIMARY KEY,
    identity_id uuid,
    customer_id uuid,
    event text NOT NULL,
    occurred_at timestamptz NOT NULL,
    session_id text,
    properties jsonb NOT NULL
);
CREATE INDEX event_fact_customer ON event_fact (customer_id, occurred_at);
CREATE INDEX event_fact_event ON event_fact (event, occurred_at) INCLUDE (customer_id);
CREATE INDEX event_fact_identity ON event_fact (identity_id);

-- One row per version of an order, refund or cancellation. Of the versions of one order_key the one in force at T is
-- the one with occurred_at <= T that is not superseded by then. amount_minor null: a refund of all that is left.
CREATE TABLE purchase (
    position bigint PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('order', 'refund', 'cancel')),
    order_key text NOT NULL,
    identity_id uuid,
    customer_id uuid,
    occurred_at timestamptz NOT NULL,
    placed_at timestamptz NOT NULL,
    superseded_at timestamptz,
    trusted boolean NOT NULL,
    amount_minor bigint,
    discount_minor bigint NOT NULL,
    currency text NOT NULL
);
CREATE INDEX purchase_order_key ON purchase (order_key);
CREATE INDEX purchase_customer ON purchase (customer_id, placed_at);
CREATE INDEX purchase_placed ON purchase (placed_at);
CREATE INDEX purchase_refund_order ON purchase (order_key) WHERE kind <> 'order';
CREATE INDEX purchase_refund_customer ON purchase (customer_id) WHERE kind = 'refund';
CREATE INDEX purchase_identity ON purchase (identity_id);

CREATE TABLE order_line (
    position bigint NOT NULL,
    line integer NOT NULL,
    product_id text,
    category text,
    quantity double precision NOT NULL,
    total_minor bigint NOT NULL,
    discount_minor bigint NOT NULL,
    PRIMARY KEY (position, line)
);

-- Customers whose features and memberships are behind their facts. A fact of the future makes its customer due then.
-- The position keeps a reader from waiting for the computation of the same customer.
CREATE TABLE touched (
    customer_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (customer_id, due_at, position)
);
CREATE INDEX touched_due ON touched (due_at);
"""


def upgrade() -> None:
    op.execute(TABLES)
