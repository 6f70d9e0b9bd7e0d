"""What waits to be appended can be read by whom it is about: what somebody has just done counts in the next answer.

The intake keeps its pages. Planned after vacuum has cut it to one, the view would read all of the next burst.
"""

from alembic import op

revision = "profile_0007"
down_revision = "profile_0006"

STATEMENTS = """
CREATE INDEX intake_whose ON intake (own_lookup) WHERE NOT imported;
ALTER TABLE intake SET (vacuum_truncate = false);

CREATE VIEW profile_out.newest_events_v1 AS
SELECT 9223372036854775807 AS position, r.own_kind AS kind, r.own_lookup AS lookup, i.identity_id, i.customer_id,
       r.type, r.event, r.occurred_at, r.trusted, r.payload
FROM intake r LEFT JOIN identity i ON i.kind = r.own_kind AND i.lookup = r.own_lookup
WHERE NOT r.imported AND NOT EXISTS (SELECT FROM message_seen s WHERE s.message_key = r.message_key)
UNION ALL
SELECT e.position, i.kind, i.lookup, e.identity_id, i.customer_id, e.type, e.event, e.occurred_at, e.trusted, e.payload
FROM event_log e JOIN identity i USING (identity_id);
COMMENT ON VIEW profile_out.newest_events_v1 IS
    'the log, and what is not in it yet, with the last position there can be: for one person at a time';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
