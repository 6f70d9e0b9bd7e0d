"""Use cases of the catalogue."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import ValidationError

from services.recommend.actions import shelf
from services.recommend.domain.items import Item, ItemError, category_path, price_in_minor
from services.recommend.schemas.items import MOST_ITEMS, ItemIn, ItemsIn
from services.recommend.store import items as store
from shared import audit
from shared.database import Row, Transaction, transaction
from shared.instants import EARLIEST, LATEST
from shared.problems import BadRequest, FieldError, Invalid, NotFound, TooLarge

_item = msgspec.json.Decoder(ItemIn)
_items = msgspec.json.Decoder(ItemsIn)
_MOST_ERRORS = 100
_AS_GIVEN = (
    *("item_id", "kind", "name", "brand", "currency", "available", "stock", "url", "image_url", "published_at"),
)
_MOST_ATTRIBUTE_BYTES = 16_384
_TOLD = 20  # items of one request whose change the audit log tells one by one; of a whole catalogue it tells the size


def put_items(body: bytes) -> dict[str, int]:
    """Create or replace every item of the body, or none: one wrong item refuses the request and all are named."""
    items = _read(body)
    if not items:
        return {"items": 0, "version": _version()}
    with transaction() as tx:
        before = store.of_ids(tx, [one.item_id for one in items[:_TOLD]])
        store.put_items(tx, items)
        done = {"items": len(items), "version": store.version(tx)}
        _note(tx, items, before, done)
    shelf.expect_change()
    return done


def change_availability(item_id: str, changes: Mapping[str, Any]) -> Row:
    """Say whether one item can be bought and how many are left; the rest of it stays. Raises NotFound."""
    with transaction() as tx:
        before = store.item(tx, item_id)
        if before is None:
            raise NotFound(f"there is no item {item_id!r}")
        wanted = {name: changes.get(name, before[name]) for name in ("available", "stock")}
        old, new = audit.difference({name: before[name] for name in wanted}, wanted)
        if new:
            store.put_availability(tx, item_id, **wanted)
            audit.record(tx, "item.availability", ("item", item_id), old, new)
        after = store.item(tx, item_id)
    shelf.expect_change()
    return after or before


def item(item_id: str) -> Row:
    """One item. Raises NotFound."""
    with transaction(read_only=True) as tx:
        found = store.item(tx, item_id)
    if found is None:
        raise NotFound(f"there is no item {item_id!r}")
    return found


def items_page(after: str, q: str | None, category: str | None, limit: int) -> list[Row]:
    """Up to `limit` items after the id `after`."""
    with transaction(read_only=True) as tx:
        return store.items_page(tx, after, q, category, limit)


def _note(tx: Transaction, items: list[Item], before: dict[str, Row], done: dict[str, int]) -> None:
    if len(items) > _TOLD:
        audit.record(tx, "items.put", ("catalogue", "items"), after={**done, "first": items[0].item_id})
        return
    after = store.of_ids(tx, [one.item_id for one in items])
    told = {item_id: audit.difference(before.get(item_id, {}), row) for item_id, row in after.items()}
    old = {item_id: change[0] for item_id, change in told.items() if change[1] and item_id in before}
    new = {item_id: change[1] for item_id, change in told.items() if change[1]}
    audit.record(tx, "items.put", ("catalogue", "items"), old, {**new, **done})


def _version() -> int:
    with transaction(read_only=True) as tx:
        return store.version(tx)


def _read(body: bytes) -> list[Item]:
    try:
        given = _items.decode(body).items
    except ValidationError as error:
        raise Invalid("the request does not fit its schema", code="schema", errors=[_error("", error)]) from error
    except msgspec.DecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}", code="not_json") from error
    if len(given) > MOST_ITEMS:
        raise TooLarge(f"send at most {MOST_ITEMS} items in one request; these are {len(given)}")
    items: dict[str, Item] = {}
    errors: list[FieldError] = []
    for number, raw in enumerate(given):
        path = f"items[{number}]"
        try:
            one = _item_of(_item.decode(raw))
            if one.item_id in items:
                raise ItemError("item_id", f"{one.item_id!r} is in this request twice")
            items[one.item_id] = one
        except ValidationError as error:
            errors.append(_error(path, error))
        except ItemError as error:
            errors.append({"path": f"{path}.{error.field}", "message": str(error)})
    if errors:
        raise Invalid(
            f"{len(errors)} of {len(given)} items are not right; nothing was written",
            code="bad_items",
            errors=errors[:_MOST_ERRORS],
        )
    return list(items.values())


def _item_of(given: ItemIn) -> Item:
    plain: dict[str, Any] = {
        name: getattr(given, name)
        for name in (
            "item_id",
            "kind",
            "name",
            "brand",
            "currency",
            "available",
            "stock",
            "url",
            "image_url",
            "published_at",
        )
    }
    if given.published_at is not None and not EARLIEST <= given.published_at <= LATEST:
        raise ItemError("published_at", "must lie between 1990 and 2190")
    price_minor = price_in_minor(given.price, given.currency)
    if price_minor is None:
        plain["currency"] = None
    if len(msgspec.json.encode(given.attributes)) > _MOST_ATTRIBUTE_BYTES:
        raise ItemError("attributes", f"attributes have at most {_MOST_ATTRIBUTE_BYTES} bytes")
    checked = Item(
        **plain, category=category_path(given.category), price_minor=price_minor, attributes=given.attributes
    )
    _refuse_null_characters(checked)
    return checked


def _refuse_null_characters(item: Item) -> None:
    # Postgres has no text with U+0000.
    for name in ("item_id", "name", "brand", "url", "image_url"):
        if "\0" in (getattr(item, name) or ""):
            raise ItemError(name, "a text cannot hold the character U+0000")
    if any("\0" in part for part in item.category):
        raise ItemError("category", "a text cannot hold the character U+0000")
    if b"\\u0000" in msgspec.json.encode(item.attributes):
        raise ItemError("attributes", "a text cannot hold the character U+0000")


def _error(path: str, error: ValidationError) -> FieldError:
    """msgspec says "Expected `int`, got `str` - at `$.stock`"."""
    message, _, place = str(error).partition(" - at `$")
    return {"path": f"{path}{place.rstrip('`')}".lstrip("."), "message": message}
