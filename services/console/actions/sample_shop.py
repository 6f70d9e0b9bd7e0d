"""The sample shop: opened and closed by people of the shop, entered by anybody while it is open.

Opening makes two keys that are safe in a page, closing revokes them: pages that are still open somewhere stop working.
A visitor may play one of the shoppers the shop has named, and nobody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from services.console.actions import keys
from services.console.store import sample_shop as store
from shared import audit, auth
from shared.audit import SYSTEM, Actor, difference
from shared.client import sibling
from shared.database import Transaction, transaction
from shared.problems import NotFound, PreconditionFailed

NAME: Final = "Sample shop"
_SIGNED_S: Final = 24 * 3600


@dataclass(frozen=True)
class SampleShop:
    """How it stands. The keys are None while it is closed."""

    open: bool
    shoppers: list[dict[str, str]]
    version: int
    collect_key: str | None = None
    storefront_key: str | None = None

    def shopper(self, user_id: str | None) -> dict[str, str] | None:
        """The shopper of this user id; None where there is none, or not any more."""
        return next((one for one in self.shoppers if one["user_id"] == user_id), None)


def get() -> SampleShop:
    """How the sample shop stands."""
    with transaction(read_only=True) as tx:
        return _of(store.get(tx))


def entered() -> SampleShop:
    """The sample shop, for a visitor. Raises NotFound while it is closed."""
    found = get()
    if not found.open:
        raise NotFound("the sample shop is closed", code="closed")
    return found


def update(changes: Mapping[str, Any], expected_version: int | None = None, actor: Actor = SYSTEM) -> SampleShop:
    """Open or close it, and say whom visitors may play. Raises PreconditionFailed."""
    with transaction() as tx:
        row = store.get(tx, lock=True)
        if expected_version not in (None, row["version"]):
            raise PreconditionFailed("somebody else changed this since you read it", code="changed_meanwhile")
        before = {"open": row["open"], "shoppers": row["shoppers"]}
        old, new = difference(before, {**before, **changes})
        if new:
            wanted = {**row, "shoppers": orjson.dumps(changes.get("shoppers", row["shoppers"])).decode()}
            if new.get("open") is not None:
                wanted |= _keys(tx, row, actor) if new["open"] else _no_keys(tx, row, actor)
            store.put(tx, wanted)
            audit.record(tx, "sample_shop.update", ("sample_shop", "sample_shop"), old, new, actor=actor)
        after = _of(store.get(tx))
    auth.forget_keys()
    return after


def log_in(user_id: str, anonymous_id: str | None) -> None:
    """Tell the log that a visitor is now this shopper, as a shop's server does on a log-in. Raises SiblingDown."""
    event: dict[str, Any] = {"type": "identify", "userId": user_id, "anonymousId": anonymous_id, "traits": {}}
    sibling("profile").post("/v1/identify", json=event, scopes=("events:collect",))


def signature(user_id: str) -> str:
    """The shop's signature over a shopper's id, for a day. Raises SiblingDown."""
    wanted = {"user_id": user_id, "expires_in": _SIGNED_S}
    path = "/v1/recommendations/signatures"
    reply = sibling("recommend").post(path, json=wanted, scopes=("recommendations:batch",), idempotent=True)
    signed: str = reply["signature"]
    return signed


def catalogue(path: str, **params: Any) -> Any:
    """What the catalogue's API says. Raises NotFound, SiblingDown."""
    return sibling("recommend").get(path, params=params, scopes=("items:read",))


def _keys(tx: Transaction, row: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """A pair of keys; what was left of an earlier pair ends."""
    _no_keys(tx, row, actor)
    made = {kind: keys.make(tx, NAME, kind, actor) for kind in ("collect", "storefront")}
    return {
        **{f"{kind}_key_id": key.key_id for kind, key in made.items()},
        **{f"{kind}_key": key.secret for kind, key in made.items()},
    }


def _no_keys(tx: Transaction, row: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    for name in ("collect_key_id", "storefront_key_id"):
        if row[name] is not None:
            keys.end(tx, row[name], actor)
    return dict.fromkeys(("collect_key_id", "collect_key", "storefront_key_id", "storefront_key"))


def _of(row: Mapping[str, Any]) -> SampleShop:
    opened = row["open"]
    found = {name: row[name] if opened else None for name in ("collect_key", "storefront_key")}
    return SampleShop(opened, row["shoppers"], row["version"], **found)
