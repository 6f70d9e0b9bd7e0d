"""How long events are kept: for ever, unless a person decides otherwise."""

from alembic import op

revision = "console_0003"
down_revision = "console_0002"

STATEMENTS = """
ALTER TABLE shop ADD COLUMN events_kept_days int CHECK (events_kept_days BETWEEN 90 AND 36500);
COMMENT ON COLUMN shop.events_kept_days IS 'NULL: events are kept for ever';
CREATE OR REPLACE VIEW console_out.shop_v1 AS
SELECT name, time_zone, currency, locale, region, public_url, postal_address, sender_email, sender_name,
       sending_enabled, allow_list, business_clock, events_kept_days
FROM shop;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
