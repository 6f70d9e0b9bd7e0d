"""The catalogue as a serving process holds it: arrays by item key, replaced as a whole when items change."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_
from threading import Lock
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from services.recommend.domain import expressions
from services.recommend.domain.columns import (
    CONTENT,
    MOST_ATTRIBUTES,
    PRODUCTS,
    Change,
    Codes,
    Columns,
    Mask,
    Shown,
    held,
)
from services.recommend.domain.expressions import ANYWHERE, All, Circumstances, Expression, Op, Test, depends_on
from services.recommend.domain.filters import Filter
from services.recommend.domain.masks import mask_of

__all__ = ["Catalogue", "Change", "Mask", "Shown"]

Keys = NDArray[np.int64]
_MASK_BYTES: Final = 64_000_000
_FEWEST_MASKS: Final = 16
_MOST_MASKS: Final = 512


class Catalogue:
    """All items at one version. Treat as immutable: changed() makes the next one.

    Memory: about 1 KB an item, plus its attributes.
    """

    def __init__(self, version: int = 0, items: Sequence[Shown] = (), columns: Columns | None = None) -> None:
        self.version = version
        self.items = items
        self.columns = columns or Columns.empty()
        self._lock = Lock()
        self._masks: OrderedDict[tuple[object, ...], Mask] = OrderedDict()
        self.has_content = CONTENT in self.columns.kinds.values
        self._rendered: dict[int, bytes] = {}
        self._closed: dict[frozenset[str], Keys] = {}
        self._texts: list[str] | None = None
        self._newness: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.items)

    @property
    def on_sale(self) -> Mask:
        """Which items may be shown at all."""
        return self.columns.on_sale

    @property
    def published(self) -> NDArray[np.float64]:
        """When each item came to the shop, in seconds since 1970."""
        return self.columns.published

    @property
    def newness(self) -> NDArray[np.float32]:
        """Per item in (0, 1]: the last that came has 1; of equals the later key has more. Not to be written to."""
        if self._newness is None:
            newness = np.empty(len(self), dtype=np.float32)
            newness[np.argsort(self.published, kind="stable")] = np.arange(1, len(self) + 1) / max(len(self), 1)
            newness.flags.writeable = False
            self._newness = newness
        return self._newness

    def shown(self, kinds: frozenset[str] = PRODUCTS) -> Mask:
        """Which items of these kinds may be shown."""
        return self.columns.on_sale & self.columns.kinds.matching(kinds.__contains__)

    def closed(self, kinds: frozenset[str] = PRODUCTS) -> Keys:
        """The items that nobody who asks for these kinds is shown. Kept."""
        found = self._closed.get(kinds)
        if found is None:
            found = self._closed[kinds] = np.flatnonzero(~self.shown(kinds))
        return found

    def changed(self, changes: Sequence[Change], version: int) -> "Catalogue":
        """The catalogue at `version`, after `changes` (new keys follow on the old without gaps)."""
        items = list(self.items)
        size = max((change.key + 1 for change in changes), default=0)
        items.extend([_PLACEHOLDER] * (size - len(items)))
        with self._lock:
            columns = self.columns.grown(len(items))
        for change in changes:
            items[change.key] = change.item
            columns.put(change)
        return Catalogue(version, items, columns)

    def key_of(self, item_id: str) -> int | None:
        """The key of an item; None when there is no such item."""
        return self.columns.keys.get(item_id)

    def keys_of(self, item_ids: Iterable[str]) -> list[int]:
        """The keys of those of these items that exist."""
        return [key for item_id in item_ids if (key := self.columns.keys.get(item_id)) is not None]

    def mask(self, wanted: Filter) -> Mask:
        """Which items the filter lets through. Not to be written to."""
        return self.matching(expressions.of_filter(wanted))

    def in_category(self, path: tuple[str, ...]) -> Mask:
        """The items of a category: a single name anywhere on their path, a path at its beginning."""
        return self.matching(Test("category", Op.EQ, (path,)))

    def with_words(self, words: tuple[str, ...]) -> Mask:
        """The items with all of these words (of any case) in name, brand or category."""
        if self._texts is None:
            self._texts = [" ".join((one.name, one.brand or "", *one.category)).casefold() for one in self.items]
        wanted = [word.casefold() for word in words]
        found = (all(word in text for word in wanted) for text in self._texts)
        return np.fromiter(found, dtype=bool, count=len(self))

    def matching(self, wanted: Expression, at: Circumstances = ANYWHERE) -> Mask:
        """Which items the expression lets through. Not to be written to: masks are kept until the catalogue changes.

        What depends on the time is found anew each second; of several conditions each is kept by itself.
        """
        now, country = depends_on(wanted)
        key = (wanted, at.currency, int(at.now) if now else None, at.country if country else None)
        with self._lock:
            found = self._masks.get(key)
            if found is not None:
                self._masks.move_to_end(key)
                return found
        if isinstance(wanted, All):
            parts = [self.matching(part, at) for part in wanted.parts]
            found = reduce(and_, parts, np.ones(len(self), dtype=bool))
        else:
            found = mask_of(wanted, self.columns, self.items, self.attribute, at)
        found.flags.writeable = False
        with self._lock:
            self._masks[key] = found
            while len(self._masks) > _most_masks(len(self)):
                self._masks.popitem(last=False)
        return found

    def same_category(self, key: int) -> Mask:
        """Items whose category is exactly that of the item `key`."""
        codes = self.columns.categories.codes
        mask: Mask = codes == codes[key]
        return mask

    def rendered(self, key: int) -> bytes:
        """The item as the beginning of a JSON object, without its closing brace. Kept, as answers repeat items."""
        found = self._rendered.get(key)
        if found is None:
            item = self.items[key]
            shown = ("item_id", "kind", "name", "price_minor", "currency", "url", "image_url")
            found = self._rendered[key] = orjson.dumps({name: getattr(item, name) for name in shown})[:-1]
        return found

    def attribute(self, name: str) -> Codes:
        """The column of an attribute, made when it is first asked for."""
        with self._lock:
            kept = self.columns.attributes
            found = kept.get(name)
            if found is None:
                if len(kept) >= MOST_ATTRIBUTES:  # names come from requests: do not collect them for ever
                    kept.clear()
                found = kept[name] = Codes.of((held(item.attributes.get(name)) for item in self.items), len(self))
        return found


def _most_masks(items: int) -> int:
    """How many masks are kept: they come from requests, too, and must not fill the memory."""
    return max(_FEWEST_MASKS, min(_MOST_MASKS, _MASK_BYTES // max(items, 1)))


_PLACEHOLDER: Final = Shown("", "", (), None, None, None, None, None, {})
