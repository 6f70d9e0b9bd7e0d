"""Lists in pages: where they go on, and whether there is more."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from shared.database import Row
from shared.problems import BadRequest
from shared.web import decode_cursor, encode_cursor

T = TypeVar("T")


def after_id(cursor: str | None) -> UUID | None:
    """The id a list has come to. Raises BadRequest for a cursor that is not ours."""
    found = _read(cursor, (_uuid,))
    return found[0] if found else None


def instant(cursor: str | None) -> datetime | None:
    """The instant that bounds a walk."""
    found = _read(cursor, (datetime.fromisoformat,))
    return found[0] if found else None


def after_time(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The instant and id a list by time has come to."""
    found = _read(cursor, (datetime.fromisoformat, _uuid))
    return (found[0], found[1]) if found else None


def after_time_and_text(cursor: str | None) -> tuple[datetime, str] | None:
    """The instant and key a list by time has come to."""
    found = _read(cursor, (datetime.fromisoformat, str))
    return (found[0], found[1]) if found else None


def page(rows: Sequence[Row], limit: int, *keys: str) -> dict[str, Any]:
    """A list answer from up to one row more than asked for; `keys` are the columns the list is sorted by."""
    more = len(rows) > limit
    kept = list(rows[:limit])
    return {"items": kept, "next_cursor": encode_cursor(*(kept[-1][key] for key in keys)) if more else None}


def _uuid(value: Any) -> UUID:
    return UUID(value)


def _read(cursor: str | None, kinds: tuple[Callable[[Any], Any], ...]) -> list[Any] | None:
    values = decode_cursor(cursor)
    if values is None:
        return None
    try:
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, AttributeError) as error:
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor") from error
