"""What is known of each customer: profile fields, features, scores, and the population they are scored against."""

from alembic import op

revision = "segmentation_0002"
down_revision = "segmentation_0001"

TABLES = """
-- Copy of profile's published fields, for rules; contact fields only as presence or sealed.
CREATE TABLE customer_profile (
    customer_id uuid PRIMARY KEY,
    identified boolean NOT NULL,
    user_id text,
    locale text,
    time_zone text,
    country text,
    city text,
    has_email boolean NOT NULL,
    has_phone boolean NOT NULL,
    has_name boolean NOT NULL,
    traits jsonb NOT NULL
);

-- Money in minor units of `currency`, the customer's main one.
CREATE TABLE customer_feature (
    customer_id uuid PRIMARY KEY,
    currency text NOT NULL,
    orders integer NOT NULL,
    orders_placed integer NOT NULL,
    other_currency_orders integer NOT NULL,
    gross_spend_minor bigint NOT NULL,
    refunds_minor bigint NOT NULL,
    net_spend_minor bigint NOT NULL,
    discount_minor bigint NOT NULL,
    discount_share double precision,
    avg_order_minor bigint,
    first_order_at timestamptz,
    last_order_at timestamptz,
    recency_days integer,
    order_days integer NOT NULL,
    gaps_days integer[] NOT NULL,
    mean_gap_days double precision,
    last_gap_days integer,
    previous_gap_days double precision,
    items double precision NOT NULL,
    distinct_products integer NOT NULL,
    favourite_category text,
    favourite_categories text[] NOT NULL,
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    days_since_seen integer,
    events_30d integer NOT NULL,
    page_views_30d integer NOT NULL,
    sessions_30d integer NOT NULL,
    as_of timestamptz NOT NULL
);

-- The population a score was given against: cut points and gaps of the last full computation.
CREATE TABLE score_basis (
    basis_id uuid PRIMARY KEY,
    as_of timestamptz NOT NULL,
    customers integer NOT NULL,
    buyers integer NOT NULL,
    parameters jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX score_basis_newest ON score_basis (created_at DESC);

CREATE TABLE customer_score (
    customer_id uuid PRIMARY KEY,
    rfm_r smallint,
    rfm_f smallint,
    rfm_m smallint,
    rfm_cell text,
    lifecycle text,
    silence double precision,
    basis_id uuid NOT NULL
);

CREATE TABLE recompute_job (
    job_id uuid PRIMARY KEY,
    as_of timestamptz,
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    computed_as_of timestamptz,
    total integer,
    done integer NOT NULL DEFAULT 0,
    error text,
    lease_until timestamptz,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX recompute_job_newest ON recompute_job (requested_at DESC);
"""

FEATURES_VIEW = """
CREATE VIEW segmentation_out.features_v1 AS
SELECT f.customer_id, coalesce(p.identified, false) AS identified, f.orders, f.net_spend_minor, f.currency,
       f.first_order_at, f.last_order_at, f.recency_days, f.avg_order_minor, f.favourite_category, f.discount_share,
       s.rfm_r, s.rfm_f, s.rfm_m, s.rfm_cell, s.lifecycle, f.as_of,
       f.orders_placed, f.other_currency_orders, f.gross_spend_minor, f.refunds_minor, f.discount_minor, f.order_days,
       f.mean_gap_days, f.items, f.distinct_products, f.favourite_categories, f.first_seen_at, f.last_seen_at,
       f.days_since_seen, f.events_30d, f.page_views_30d, f.sessions_30d, s.silence,
       p.country, p.city, p.locale, p.time_zone,
       coalesce(p.has_email, false) AS has_email, coalesce(p.has_phone, false) AS has_phone
FROM customer_feature AS f
LEFT JOIN customer_score AS s USING (customer_id)
LEFT JOIN customer_profile AS p USING (customer_id)
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(FEATURES_VIEW)
