"""What was shown and clicked, of which slot, strategy and variant; experiments; and what was paid for a line."""

from alembic import op

revision = "recommend_0006"
down_revision = "recommend_0005"

CONTEXTS = """
CREATE TABLE served_context (
    number integer PRIMARY KEY CHECK (number BETWEEN 1 AND 1048575),
    slot text NOT NULL,
    strategy text NOT NULL,
    experiment_id text NOT NULL,
    variant text NOT NULL,
    first_served_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (slot, strategy, experiment_id, variant)
);
COMMENT ON TABLE served_context IS 'where answers come from: the number is inside their recommendation_id';
COMMENT ON COLUMN served_context.experiment_id IS 'empty: no experiment ran';
"""

IMPRESSIONS = """
CREATE TABLE impression (
    position bigint PRIMARY KEY,
    kind smallint NOT NULL,
    recommendation_id uuid,
    context integer,
    slot text,
    identity_id uuid,
    customer_id uuid,
    item_keys integer[] NOT NULL,
    place smallint,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX impression_identity ON impression (identity_id) WHERE identity_id IS NOT NULL;
CREATE INDEX impression_clicked ON impression (occurred_at) WHERE kind = 2;
CREATE INDEX impression_age ON impression USING brin (occurred_at);
CREATE INDEX impression_context ON impression (context) WHERE context IS NOT NULL;
COMMENT ON COLUMN impression.kind IS 'services.recommend.domain.impressions.Sight';
COMMENT ON COLUMN impression.context IS 'of served_context, from the recommendation_id; NULL: not an id that a slot gave';
COMMENT ON COLUMN impression.slot IS 'as the sender says; what the id says goes before';

CREATE TABLE item_shown (
    item_key integer NOT NULL,
    day date NOT NULL,
    shown integer NOT NULL,
    clicked integer NOT NULL,
    PRIMARY KEY (item_key, day)
);

CREATE TABLE explored (
    recommendation_id uuid NOT NULL,
    item_key integer NOT NULL,
    propensity real NOT NULL CHECK (propensity > 0 AND propensity <= 1),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (recommendation_id, item_key)
);
CREATE INDEX explored_age ON explored USING brin (at);
COMMENT ON COLUMN explored.propensity IS 'the probability with which this answer had this item in it, exactly';
"""

EXPERIMENTS = """
CREATE TABLE experiment (
    experiment_id text PRIMARY KEY,
    slot text NOT NULL,
    variants jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    applied text
);
CREATE INDEX experiment_slot ON experiment (slot, started_at);
COMMENT ON COLUMN experiment.applied IS 'the variant that the slot took over at the end';

CREATE TABLE assignment (
    experiment_id text NOT NULL,
    identity_id uuid NOT NULL,
    customer_id uuid,
    variant text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (experiment_id, identity_id)
);
CREATE INDEX assignment_customer ON assignment (customer_id, experiment_id) WHERE customer_id IS NOT NULL;
CREATE INDEX assignment_identity ON assignment (identity_id);
COMMENT ON TABLE assignment IS 'which variant somebody was first seen with: they keep it, also when they log in';
"""

AMOUNTS = """
ALTER TABLE interaction ADD COLUMN amount_minor bigint, ADD COLUMN currency text;
COMMENT ON COLUMN interaction.amount_minor IS 'price × quantity of a bought line, as its event says; NULL: not told';
"""


def upgrade() -> None:
    for statements in (CONTEXTS, IMPRESSIONS, EXPERIMENTS, AMOUNTS):
        op.execute(statements)
