"""Which of two aliased ids is the old one: a customer goes by the new one."""

from alembic import op

revision = "profile_0002"
down_revision = "profile_0001"

COLUMN = """
ALTER TABLE identity_link ADD COLUMN replaces uuid;
COMMENT ON COLUMN identity_link.replaces IS 'the identity an alias gave a new name; NULL: no alias';
CREATE INDEX identity_link_replaces ON identity_link (replaces) WHERE replaces IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(COLUMN)
