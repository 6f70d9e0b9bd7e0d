"""Letters filled by a slot: which one, what it answered with, and what readers saw and clicked of it."""

from alembic import op

revision = "campaign_0005"
down_revision = "campaign_0004"

STATEMENTS = """
ALTER TABLE campaign ADD COLUMN recommend_slot text;
ALTER TABLE run ADD COLUMN recommend_slot text, ADD COLUMN recommend_fallback text;
ALTER TABLE send ADD COLUMN recommendation_id uuid;
ALTER TABLE outcome ADD COLUMN recommendation_id uuid, ADD COLUMN item_id text, ADD COLUMN place smallint;
COMMENT ON COLUMN campaign.recommend_slot IS 'the slot that fills its items; NULL: the personal answer';
COMMENT ON COLUMN run.recommend_fallback IS 'why some of it went out without the slot; NULL: none did';
COMMENT ON COLUMN send.recommendation_id IS 'of the slot''s answer that is in the message; NULL: not of a slot';
COMMENT ON COLUMN outcome.place IS 'of a click on a recommended item: the place it stood in, the first being 0';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
