"""Lists in order of id: where they go on."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from shared.problems import BadRequest
from shared.web import decode_cursor, encode_cursor


def after_id(query: dict[str, Any]) -> UUID | None:
    """The id the caller's list has come to."""
    values = decode_cursor(query.get("cursor"))
    if values is None:
        return None
    try:
        (text,) = values
        return UUID(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor") from error


def paged(found: Sequence[Any], limit: int, id_of: Callable[[Any], UUID]) -> dict[str, Any]:
    """`limit` items of those found (one more was asked for), and the cursor of the rest."""
    more = len(found) > limit
    return {"items": found[:limit], "next_cursor": encode_cursor(id_of(found[limit - 1])) if more else None}
