"""What a serving process holds in memory: the catalogue and the newest model, looked after while it answers.

Changes of the catalogue and of slots are taken in by the request that finds them: by the next one in the process that
was told of them, within half a second in others. A new model is loaded beside the traffic and takes over
when it is whole; a broken one is refused, and the one before it goes on serving.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from services.recommend.artifacts import models as artifacts
from services.recommend.artifacts.serving import model_of
from services.recommend.domain.catalogue import Catalogue, Change, Shown
from services.recommend.domain.filters import FilterError
from services.recommend.domain.model import Model
from services.recommend.domain.slots import Slot, SlotError, slot_of
from services.recommend.store import items, slots
from services.recommend.store import models as store
from shared import telemetry
from shared.database import Row, Transaction, transaction

LOOK_EVERY_S: Final = 0.5
LOADER: Final = "model-loader"
_NO_ATTRIBUTES: Final[dict[str, Any]] = {}
_log = telemetry.get_logger(__name__)


@dataclass
class _Shelf:
    catalogue: Catalogue = field(default_factory=Catalogue)
    model: Model | None = None
    slots: dict[str, Slot] = field(default_factory=dict)
    slots_version: int = 0
    refused: set[str] = field(default_factory=set)
    looked_at: float | None = None
    told: int = 0  # the last change that this process was told of, and the last that it has looked for since
    heard: int = 0
    looking: threading.Lock = field(default_factory=threading.Lock)
    loading: threading.Lock = field(default_factory=threading.Lock)


_held = {"shelf": _Shelf()}  # one a process
_changes_told: Final[Iterator[int]] = count(1)


def forget() -> None:
    """Begin again with an empty shelf (tests: another database is another world)."""
    _held["shelf"] = _Shelf()


def expect_change() -> None:
    """Have the next answer of this process look first: what has just been committed counts for it."""
    _held["shelf"].told = next(_changes_told)


def current() -> tuple[Catalogue, Model | None]:
    """The catalogue, at most half a second old, and the model to answer with. Call it outside a transaction.

    The first caller of a process fills the shelf, and the first after a change that was told to this process takes it
    in, and others wait for it; otherwise nobody waits.
    """
    shelf = _held["shelf"]
    if shelf.looked_at is None or shelf.heard != shelf.told:
        with shelf.looking:
            if shelf.looked_at is None or shelf.heard != shelf.told:
                _look(shelf, in_background=shelf.looked_at is not None)
    elif time.monotonic() - shelf.looked_at > LOOK_EVERY_S and shelf.looking.acquire(blocking=False):
        try:
            _look(shelf, in_background=True)
        finally:
            shelf.looking.release()
    return shelf.catalogue, shelf.model


def slot(name: str) -> Slot | None:
    """A slot, at most half a second old; None where there is none of that name. Call it after current().

    Before it says so it looks once more: who has just made a slot may ask for it in the next request.
    """
    shelf = _held["shelf"]
    found = shelf.slots.get(name)
    if found is None:
        with shelf.looking:
            _look(shelf, in_background=True)
        found = shelf.slots.get(name)
    return found


def _look(shelf: _Shelf, *, in_background: bool) -> None:
    began, told = time.monotonic(), shelf.told
    with transaction(read_only=True) as tx:
        version, newest, slots_version = store.serving_state(tx)
        published = store.newest(tx, shelf.refused) if newest != _serving(shelf) else None
        if version > shelf.catalogue.version:
            changes = _changes(items.changes_since(tx, shelf.catalogue.version))
            shelf.catalogue = shelf.catalogue.changed(changes, max(change.version for change in changes))
        if slots_version > shelf.slots_version:
            shelf.slots, shelf.slots_version = _slots(tx), slots_version
    if published is not None and published.version != _serving(shelf):
        if in_background:
            threading.Thread(target=_load, args=(shelf, published), name=LOADER, daemon=True).start()
        else:
            _load_any(shelf, published)
    shelf.looked_at, shelf.heard = began, told


def _slots(tx: Transaction) -> dict[str, Slot]:
    """All slots; one that is wrong (a restored database of another release …) is left out and told of."""
    found = {}
    for row in slots.every(tx):
        try:
            found[row["name"]] = slot_of(row["name"], row["settings"], row["version"], row["updated_at"])
        except (SlotError, FilterError, KeyError) as error:
            _log.error("slot_refused", slot=row["name"], error=str(error))
    return found


def _serving(shelf: _Shelf) -> str | None:
    return shelf.model.version if shelf.model else None


def _load(shelf: _Shelf, published: store.Published) -> bool:
    """Take up a model, or refuse it: then the next look finds the one before it, if that is not the one serving."""
    if not shelf.loading.acquire(blocking=False):
        return False
    try:
        shelf.model = load(published.version, published.path, shelf.catalogue)
        _log.info("model_taken_up", version=published.version)
    except artifacts.BrokenArtifact as error:
        shelf.refused.add(published.version)
        _log.error("model_refused", version=published.version, error=str(error))
        return False
    finally:
        shelf.loading.release()
    return True


def _load_any(shelf: _Shelf, published: store.Published | None) -> None:
    while published is not None and not _load(shelf, published):
        with transaction(read_only=True) as tx:
            published = store.newest(tx, shelf.refused)


def load(version: str, path: str | None, catalogue: Catalogue) -> Model:
    """A model from its files, whole and of this catalogue. Raises BrokenArtifact."""
    artifact = artifacts.read(path or "")
    _check(artifact, catalogue)
    return model_of(artifact, version)


def _check(artifact: artifacts.Artifact, catalogue: Catalogue) -> None:
    """Rows of the arrays are item keys: an artefact of another catalogue (a restored database …) would mix up items."""
    known = min(len(artifact.item_ids), len(catalogue))
    if any(catalogue.items[key].item_id != artifact.item_ids[key] for key in range(known)):
        raise artifacts.BrokenArtifact("it was made for another catalogue")


def _changes(rows: Iterable[Row]) -> list[Change]:
    once: dict[Any, Any] = {}  # categories, brands and currencies are few: each is kept once

    def shared(value: Any) -> Any:
        return once.setdefault(value, value)

    return [
        Change(
            key=row["item_key"],
            item=Shown(
                row["item_id"],
                row["name"],
                shared(tuple(row["category"])),
                shared(row["brand"]),
                row["price_minor"],
                shared(row["currency"]),
                row["url"],
                row["image_url"],
                row["attributes"] or _NO_ATTRIBUTES,
                shared(row["kind"]),
            ),
            on_sale=row["on_sale"],
            published=(row["published_at"] or row["created_at"]).timestamp(),
            version=row["version"],
            stock=row["stock"],
            available=row["available"],
        )
        for row in rows
    ]
