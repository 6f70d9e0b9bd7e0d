"""The audit log of all services: the console's own table and the views that its siblings publish."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import sql

from shared.database import Row, Transaction


@dataclass(frozen=True)
class Filter:
    """Which entries; what is None is not asked about. `action` may be a whole kind of them, such as `campaign.`."""

    actor_id: str | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_SOURCES: Final = {
    "console": sql.Identifier("audit_log"),
    "profile": sql.Identifier("profile_out", "audit_v1"),
    "segmentation": sql.Identifier("segmentation_out", "audit_v1"),
    "recommend": sql.Identifier("recommend_out", "audit_v1"),
    "campaign": sql.Identifier("campaign_out", "audit_v1"),
}

# Each source gives its own newest, so that a page costs a page of each, however long the logs are.
_SOURCE: Final = sql.SQL(
    """
    (SELECT {service} AS service, entry_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
            before, after, request_id
     FROM {source}
     WHERE (%(before_id)s::uuid IS NULL OR entry_id < %(before_id)s)
       AND (%(actor_id)s::text IS NULL OR actor_id = %(actor_id)s)
       AND (%(action)s::text IS NULL OR action = %(action)s
            OR (right(%(action)s, 1) = '.' AND starts_with(action, %(action)s)))
       AND (%(subject_kind)s::text IS NULL OR subject_kind = %(subject_kind)s)
       AND (%(subject_id)s::text IS NULL OR subject_id = %(subject_id)s)
       AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
       AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
     ORDER BY entry_id DESC
     LIMIT %(limit)s)
    """
)
_PAGE: Final = sql.SQL(
    """
    SELECT entry.*, person.email AS user_email
    FROM ({sources}) AS entry
    LEFT JOIN console_user AS person ON entry.actor_kind = 'user' AND person.user_id::text = entry.actor_id
    ORDER BY entry_id DESC
    LIMIT %(limit)s
    """
).format(
    sources=sql.SQL(" UNION ALL ").join(
        _SOURCE.format(service=sql.Literal(service), source=source) for service, source in _SOURCES.items()
    )
)


def page(tx: Transaction, wanted: Filter, before_id: UUID | None, limit: int) -> list[Row]:
    """Entries of all services from the newest on, older than `before_id` where that is given."""
    return tx.all(_PAGE, {**asdict(wanted), "before_id": before_id, "limit": limit})
