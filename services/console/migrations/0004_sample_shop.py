"""A sample shop on the shop's own catalogue, to see recommendations at work."""

from alembic import op

revision = "console_0004"
down_revision = "console_0003"

STATEMENTS = """
CREATE TABLE sample_shop (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    collect_key_id uuid REFERENCES api_key,
    collect_key text,
    storefront_key_id uuid REFERENCES api_key,
    storefront_key text,
    shoppers jsonb NOT NULL DEFAULT '[]',
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO sample_shop DEFAULT VALUES;
COMMENT ON TABLE sample_shop IS 'open while it has both keys and neither is revoked';
COMMENT ON COLUMN sample_shop.collect_key IS 'in the clear, as it stands in every page of the sample shop';
COMMENT ON COLUMN sample_shop.storefront_key IS 'in the clear, as it stands in every page of the sample shop';
COMMENT ON COLUMN sample_shop.shoppers IS 'whom a visitor may play: [{"user_id": …, "label": …}]';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
