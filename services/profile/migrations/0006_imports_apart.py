"""Imports have ids of their own in the intake, above all others: what happens now is appended before them."""

from alembic import op

revision = "profile_0006"
down_revision = "profile_0005"

STATEMENTS = """
CREATE SEQUENCE intake_imported_id_seq AS bigint
    MINVALUE 4611686018427387904 START WITH 4611686018427387904 OWNED BY intake.id;
COMMENT ON COLUMN intake.id IS 'the order of appending; imports have ids from 2^62 on';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
