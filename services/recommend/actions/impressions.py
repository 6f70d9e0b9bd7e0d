"""Taking in what was shown and clicked, in the transaction in which the log is read: each entry once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.recommend.domain.impressions import Impression, Sight, impression_of
from services.recommend.domain.interactions import Entry
from services.recommend.domain.marks import context_of
from services.recommend.store import impressions as store
from shared import crypto
from shared.database import Transaction

MARKING: Final = "recommendation-mark"


def take_in(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Write what these entries say was shown and clicked."""
    seen = [one for one in map(impression_of, entries) if one is not None]
    if not seen:
        return
    known = store.item_keys(tx, {item for one in seen for item in one.items})
    keys = [[known[item] for item in one.items if item in known] for one in seen]
    told = [_context(one.recommendation_id) for one in seen]
    contexts = store.contexts(tx, {number for number in told if number is not None})
    numbers = [number if number in contexts else None for number in told]
    store.add(tx, seen, numbers, keys)
    _count(tx, seen, keys)
    _assign(tx, seen, numbers, contexts)


def rederive(tx: Transaction, identities: Collection[UUID]) -> None:
    """After a merge or a split, give what these identities saw to their customers of now."""
    store.rederive_customers(tx, identities)


def _context(recommendation_id: UUID | None) -> int | None:
    return None if recommendation_id is None else context_of(recommendation_id, crypto.signing_key(MARKING))


def _count(tx: Transaction, seen: Sequence[Impression], keys: Sequence[Sequence[int]]) -> None:
    shown: Counter[Any] = Counter()
    clicked: Counter[Any] = Counter()
    for one, items in zip(seen, keys, strict=True):
        day = one.occurred_at.date()
        for key in items:
            (shown if one.kind is Sight.SHOWN else clicked)[key, day] += 1
    if pairs := sorted(shown.keys() | clicked.keys()):
        store.count_items(tx, [(*pair, shown[pair], clicked[pair]) for pair in pairs])


def _assign(
    tx: Transaction,
    seen: Sequence[Impression],
    numbers: Sequence[int | None],
    contexts: Mapping[int, store.Context],
) -> None:
    assigned = []
    for one, number in zip(seen, numbers, strict=True):
        context = None if number is None else contexts[number]
        if context is not None and context.experiment_id and one.identity_id is not None:
            person = one.identity_id, one.customer_id
            assigned.append((context.experiment_id, *person, context.variant, one.occurred_at))
    if assigned:
        store.assign(tx, assigned)
