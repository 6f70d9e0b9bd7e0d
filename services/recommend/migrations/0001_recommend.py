"""The catalogue, what people did with its items, and the registry of published models."""

from alembic import op

revision = "recommend_0001"
down_revision = None

TABLES = """
CREATE TABLE log_head (log text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE log_cursor (reader text PRIMARY KEY, position bigint NOT NULL);
COMMENT ON TABLE log_head IS 'catalogue: version of the last change; item_key: how many keys were given out';
INSERT INTO log_head (log, position) VALUES ('catalogue', 0), ('item_key', 0);

CREATE TABLE item (
    item_id text PRIMARY KEY,
    item_key integer NOT NULL UNIQUE,
    name text NOT NULL,
    category text[] NOT NULL DEFAULT '{}',
    brand text,
    price_minor bigint CHECK (price_minor >= 0),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    available boolean NOT NULL DEFAULT true,
    stock integer,
    url text,
    image_url text,
    attributes jsonb NOT NULL DEFAULT '{}',
    published_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL,
    CHECK ((price_minor IS NULL) = (currency IS NULL))
);
CREATE UNIQUE INDEX item_version ON item (version, item_key);
CREATE INDEX item_category ON item USING gin (category);
COMMENT ON COLUMN item.item_key IS 'dense from 0: the row of this item in every factor matrix and mask';
COMMENT ON COLUMN item.version IS 'of the catalogue when this item last changed; processes fetch what is newer than theirs';

CREATE TABLE interaction (
    position bigint NOT NULL,
    line integer NOT NULL,
    identity_id uuid,
    customer_id uuid,
    item_key integer,
    product_id text,
    kind smallint NOT NULL,
    quantity real NOT NULL,
    occurred_at timestamptz NOT NULL,
    recommendation_id uuid,
    PRIMARY KEY (position, line),
    CHECK ((item_key IS NULL) <> (product_id IS NULL))
);
CREATE INDEX interaction_customer ON interaction (customer_id)
    INCLUDE (item_key, kind, quantity, occurred_at) WHERE customer_id IS NOT NULL;
CREATE INDEX interaction_identity ON interaction (identity_id) WHERE identity_id IS NOT NULL;
CREATE INDEX interaction_unknown ON interaction (product_id) WHERE product_id IS NOT NULL;
COMMENT ON COLUMN interaction.position IS 'of the event in the log; with `line` (its product) the key: a line is there once';
COMMENT ON COLUMN interaction.product_id IS 'as claimed, while the catalogue has no such item; item_key takes its place then';
COMMENT ON COLUMN interaction.kind IS 'services.recommend.domain.interactions.Kind';

CREATE TABLE purchase (
    order_id text PRIMARY KEY,
    position bigint,
    occurred_at timestamptz,
    revised boolean NOT NULL DEFAULT false,
    trusted boolean NOT NULL,
    cancel_position bigint,
    cancelled_at timestamptz
);
COMMENT ON TABLE purchase IS 'which event''s lines of an order are in force, so that repeats and corrections never double';

CREATE TABLE identity_alias (
    alias text PRIMARY KEY,
    identity_id uuid NOT NULL
);
COMMENT ON COLUMN identity_alias.alias IS 'keyed hash of a userId or anonymousId, learned from the events';

CREATE TABLE model (
    version text PRIMARY KEY,
    as_of timestamptz NOT NULL,
    log_position bigint NOT NULL,
    started_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    path text,
    manifest jsonb NOT NULL
);
CREATE INDEX model_published ON model (published_at);
COMMENT ON COLUMN model.path IS 'NULL: its files are gone, newer models have taken its place';

CREATE TABLE training (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    requested_at timestamptz,
    failed_run timestamptz,
    failed_at timestamptz,
    failure text
);
COMMENT ON TABLE training IS 'written in short transactions only: a run, which takes minutes, must not lock it';
COMMENT ON COLUMN training.failed_run IS 'when the run began that failed last';
INSERT INTO training DEFAULT VALUES;
"""

VIEWS = """
CREATE VIEW recommend_out.items_v1 AS
SELECT item_id, name, array_to_string(category, ' > ') AS category, brand, price_minor, currency,
       available AND coalesce(stock > 0, true) AS available, url, image_url, updated_at
FROM item;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(VIEWS)


def downgrade() -> None:
    op.execute("DROP VIEW recommend_out.items_v1")
    op.execute("DROP TABLE item, interaction, purchase, identity_alias, model, training, log_cursor, log_head")
