"""The catalogue as a serving process holds it: arrays by item key, replaced as a whole when items change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from services.recommend.domain.filters import Filter, PriceRange, Value

Mask = NDArray[np.bool_]
_MOST_ATTRIBUTES: Final = 64
_NO_PRICE: Final = -1
_Token = tuple[bool, Value]


class Shown(NamedTuple):
    """What the process keeps of one item."""

    item_id: str
    name: str
    category: tuple[str, ...]
    brand: str | None
    price_minor: int | None
    currency: str | None
    url: str | None
    image_url: str | None
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One item as it is since `version` of the catalogue."""

    key: int
    item: Shown
    on_sale: bool
    published: float  # seconds since 1970, when it came to the shop
    version: int = 0


class Catalogue:
    """All items at one version. Treat as immutable: changed() makes the next one.

    Memory: about 1 KB an item, plus its attributes.
    """

    def __init__(self, version: int = 0, items: Sequence[Shown] = (), arrays: "_Arrays | None" = None) -> None:
        self.version = version
        self.items = items
        self._arrays = arrays or _Arrays.empty()
        self._lock = Lock()
        self._attributes: dict[str, dict[_Token, NDArray[np.int64]]] = {}
        self._rendered: dict[int, bytes] = {}
        self.off_sale: NDArray[np.int64] = np.flatnonzero(~self._arrays.on_sale)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def on_sale(self) -> Mask:
        """Which items may be shown at all."""
        return self._arrays.on_sale

    @property
    def published(self) -> NDArray[np.float64]:
        """When each item came to the shop, in seconds since 1970."""
        return self._arrays.published

    def changed(self, changes: Sequence[Change], version: int) -> "Catalogue":
        """The catalogue at `version`, after `changes` (new keys follow on the old without gaps)."""
        items = list(self.items)
        size = max((change.key + 1 for change in changes), default=0)
        items.extend([_PLACEHOLDER] * (size - len(items)))
        arrays = self._arrays.grown(len(items))
        for change in changes:
            items[change.key] = change.item
            arrays.put(change)
        return Catalogue(version, items, arrays)

    def key_of(self, item_id: str) -> int | None:
        """The key of an item; None when there is no such item."""
        return self._arrays.keys.get(item_id)

    def keys_of(self, item_ids: Iterable[str]) -> list[int]:
        """The keys of those of these items that exist."""
        return [key for item_id in item_ids if (key := self._arrays.keys.get(item_id)) is not None]

    def mask(self, wanted: Filter) -> Mask:
        """Which items the filter lets through."""
        mask = np.ones(len(self), dtype=bool)
        if wanted.categories:
            mask &= self._arrays.categories.matching(lambda path: any(_is_in(path, c) for c in wanted.categories))
        if wanted.brands:
            mask &= self._arrays.brands.matching(lambda brand: brand in wanted.brands)
        if wanted.price is not None:
            mask &= self._arrays.priced(wanted.price)
        for name, values in wanted.attributes:
            mask &= self._with_attribute(name, values)
        return mask

    def same_category(self, key: int) -> Mask:
        """Items whose category is exactly that of the item `key`."""
        codes = self._arrays.categories.codes
        mask: Mask = codes == codes[key]
        return mask

    def rendered(self, key: int) -> bytes:
        """The item as the beginning of a JSON object, without its closing brace. Kept, as answers repeat items."""
        found = self._rendered.get(key)
        if found is None:
            item = self.items[key]
            shown = ("item_id", "name", "price_minor", "currency", "url", "image_url")
            found = self._rendered[key] = orjson.dumps({name: getattr(item, name) for name in shown})[:-1]
        return found

    def _with_attribute(self, name: str, values: Iterable[Value]) -> Mask:
        index = self._attribute_index(name)
        mask = np.zeros(len(self), dtype=bool)
        for value in values:
            if (found := index.get(_token(value))) is not None:
                mask[found] = True
        return mask

    def _attribute_index(self, name: str) -> Mapping[_Token, NDArray[np.int64]]:
        with self._lock:
            index = self._attributes.get(name)
            if index is None:
                if len(self._attributes) >= _MOST_ATTRIBUTES:  # names come from requests: do not collect them for ever
                    self._attributes.clear()
                index = self._attributes[name] = _indexed(self.items, name)
        return index


_PLACEHOLDER: Final = Shown("", "", (), None, None, None, None, None, {})


def _token(value: Value) -> _Token:
    return isinstance(value, bool), value  # to Python, True and 1 are the same


def _is_in(path: tuple[str, ...], category: tuple[str, ...]) -> bool:
    if len(category) == 1:
        return category[0] in path
    return path[: len(category)] == category


def _indexed(items: Sequence[Shown], name: str) -> dict[_Token, NDArray[np.int64]]:
    found: dict[_Token, list[int]] = {}
    for key, item in enumerate(items):
        value = item.attributes.get(name)
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str | int | float | bool):
                found.setdefault(_token(one), []).append(key)
    return {value: np.asarray(keys, dtype=np.int64) for value, keys in found.items()}


class _Codes:
    """One of few distinct values for each item, as small integers."""

    def __init__(self, codes: NDArray[np.int32], values: dict[Any, int]) -> None:
        self.codes, self.values = codes, values

    def put(self, key: int, value: Any) -> None:
        self.codes[key] = self.values.setdefault(value, len(self.values))

    def matching(self, holds: Any) -> Mask:
        table = np.fromiter((holds(value) for value in self.values), dtype=bool, count=len(self.values))
        mask: Mask = table[self.codes]
        return mask

    def grown(self, size: int, nothing: Any) -> "_Codes":
        values = dict(self.values)
        code = values.setdefault(nothing, len(values))
        return _Codes(_longer(self.codes, size, code), values)


@dataclass(slots=True)
class _Arrays:
    keys: dict[str, int]
    on_sale: Mask
    published: NDArray[np.float64]
    prices: NDArray[np.int64]
    categories: _Codes
    brands: _Codes
    currencies: _Codes

    @classmethod
    def empty(cls) -> "_Arrays":
        codes = [_Codes(np.empty(0, dtype=np.int32), {}) for _ in range(3)]
        nothing = np.empty(0)
        return cls({}, nothing.astype(bool), nothing, nothing.astype(np.int64), *codes)

    def grown(self, size: int) -> "_Arrays":
        return _Arrays(
            dict(self.keys),
            _longer(self.on_sale, size, False),
            _longer(self.published, size, 0),
            _longer(self.prices, size, _NO_PRICE),
            self.categories.grown(size, ()),
            self.brands.grown(size, None),
            self.currencies.grown(size, None),
        )

    def put(self, change: Change) -> None:
        key, item = change.key, change.item
        self.keys[item.item_id] = key
        self.on_sale[key] = change.on_sale
        self.published[key] = change.published
        self.prices[key] = _NO_PRICE if item.price_minor is None else item.price_minor
        self.categories.put(key, item.category)
        self.brands.put(key, item.brand)
        self.currencies.put(key, item.currency)

    def priced(self, wanted: PriceRange) -> Mask:
        mask: Mask = self.currencies.matching(lambda currency: currency == wanted.currency)
        mask &= self.prices != _NO_PRICE
        if wanted.lowest is not None:
            mask &= self.prices >= wanted.lowest
        if wanted.highest is not None:
            mask &= self.prices <= wanted.highest
        return mask


def _longer(array: NDArray[Any], size: int, fill: object) -> NDArray[Any]:
    longer = np.full(size, fill, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
