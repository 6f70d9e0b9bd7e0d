"""Slots: the places of a shop where items are shown, and how each is filled. Items may be content as well as products."""

from alembic import op

revision = "recommend_0004"
down_revision = "recommend_0003"

TABLE = """
ALTER TABLE item ADD COLUMN kind text NOT NULL DEFAULT 'product' CHECK (kind IN ('product', 'content'));
CREATE TABLE slot (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
    settings jsonb NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN slot.settings IS 'as PUT /v1/slots takes them';
COMMENT ON COLUMN slot.version IS 'from one count for all slots: that of a slot made anew is never one it had before';
INSERT INTO log_head (log, position) VALUES ('slots', 1);
"""

SLOTS = """
WITH usual AS (
    SELECT jsonb_build_object(
        'kinds', jsonb_build_array('product'), 'where', NULL, 'pins', jsonb_build_array(),
        'boosts', jsonb_build_array(), 'quotas', jsonb_build_array(), 'diversity', 0, 'price_band', NULL,
        'explore_share', 0, 'experiment', NULL) AS settings
), seeded (name, settings) AS (VALUES
    ('home', '{"title": {"en": "For you", "zh": "为你推荐"}, "strategy": "for_you", "n": 12, "diversity": 0.2,
               "fallbacks": ["trending", "popular", "new_arrivals"],
               "exclude": {"bought": true, "bought_within_days": null, "viewed": false, "in_cart": true}}'),
    ('product', '{"title": {"en": "You may also like", "zh": "猜你喜欢"}, "strategy": "similar", "n": 8,
                  "fallbacks": ["bought_together", "popular", "new_arrivals"],
                  "exclude": {"bought": false, "bought_within_days": null, "viewed": false, "in_cart": true}}'),
    ('cart', '{"title": {"en": "Goes well with your cart", "zh": "与购物车更配"}, "strategy": "cart_complements", "n": 6,
               "fallbacks": ["for_you", "popular", "new_arrivals"],
               "exclude": {"bought": false, "bought_within_days": 7, "viewed": false, "in_cart": true}}'),
    ('category', '{"title": {"en": "Trending in this category", "zh": "本类热门"}, "strategy": "trending", "n": 12,
                   "fallbacks": ["popular", "new_arrivals"],
                   "exclude": {"bought": false, "bought_within_days": null, "viewed": false, "in_cart": true}}'),
    ('search', '{"title": {"en": "You may be looking for", "zh": "你可能在找"}, "strategy": "for_you", "n": 12,
                 "fallbacks": ["popular", "new_arrivals"],
                 "exclude": {"bought": false, "bought_within_days": null, "viewed": false, "in_cart": false}}'),
    ('email', '{"title": {"en": "Picked for you", "zh": "为你精选"}, "strategy": "for_you", "n": 6,
                "fallbacks": ["trending", "popular", "new_arrivals"],
                "exclude": {"bought": true, "bought_within_days": null, "viewed": false, "in_cart": true}}')
)
INSERT INTO slot (name, settings, version)
SELECT seeded.name, usual.settings || seeded.settings::jsonb, 1 FROM seeded, usual;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SLOTS)
