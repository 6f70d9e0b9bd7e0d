"""What waits to be appended can be read by whom it is about: what somebody has just done counts in the next answer.

The intake keeps its pages, and is looked up for one identity after the other (LATERAL … OFFSET 0). A planner that takes it
for empty, as it is whenever it is analysed in a quiet moment, would read all of the next burst instead.
"""

from alembic import op

revision = "profile_0007"
down_revision = "profile_0006"

STATEMENTS = """
CREATE INDEX intake_whose ON intake (own_lookup) WHERE NOT imported;
ALTER TABLE intake SET (vacuum_truncate = false);

CREATE VIEW profile_out.newest_events_v1 AS
SELECT 9223372036854775807 AS position, i.kind, i.lookup, i.identity_id, i.customer_id, r.type, r.event, r.occurred_at,
       r.trusted, r.payload
FROM identity i CROSS JOIN LATERAL (
    SELECT type, event, occurred_at, trusted, payload FROM intake
    WHERE own_lookup = i.lookup AND own_kind = i.kind AND NOT imported
      AND NOT EXISTS (SELECT FROM message_seen s WHERE s.message_key = intake.message_key)
    OFFSET 0
) AS r
UNION ALL
SELECT 9223372036854775807, own_kind, own_lookup, NULL, NULL, type, event, occurred_at, trusted, payload
FROM intake
WHERE NOT imported AND NOT EXISTS (SELECT FROM message_seen s WHERE s.message_key = intake.message_key)
  AND NOT EXISTS (SELECT FROM identity i WHERE i.kind = own_kind AND i.lookup = own_lookup)
UNION ALL
SELECT e.position, i.kind, i.lookup, e.identity_id, i.customer_id, e.type, e.event, e.occurred_at, e.trusted, e.payload
FROM event_log e JOIN identity i USING (identity_id);
COMMENT ON VIEW profile_out.newest_events_v1 IS
    'the log, and what is not in it yet, with the last position there can be: for one person at a time';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
