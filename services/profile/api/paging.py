"""Pages of lists: typed cursors, and telling whether there is more."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.problems import BadRequest
from shared.web import decode_cursor, encode_cursor


def after(text: str | None, *types: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """The values of a cursor, each through its type; None at the beginning. Raises BadRequest."""
    values = decode_cursor(text)
    if values is None:
        return None
    try:
        return tuple(kind(value) for kind, value in zip(types, values, strict=True))
    except (TypeError, ValueError, AttributeError) as error:
        raise BadRequest("the cursor is not one of this list; start again without it", code="bad_cursor") from error


def page(found: Sequence[dict[str, Any]], limit: int, *sort: str) -> dict[str, Any]:
    """A page of what was asked for with one row more than fits, by which we know whether there is another page."""
    items = found[:limit]
    more = len(found) > limit
    return {"items": items, "next_cursor": encode_cursor(*(items[-1][name] for name in sort)) if more else None}
