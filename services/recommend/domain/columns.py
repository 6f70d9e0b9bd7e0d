"""The columns of the catalogue: arrays by item key, which grow and change with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
PRODUCT: Final = "product"
CONTENT: Final = "content"
PRODUCTS: Final = frozenset({PRODUCT})
NO_PRICE: Final = -1
NO_STOCK: Final = -(2**62)
MOST_ATTRIBUTES: Final = 64
_STALE: Final = 2  # times as many values as items: most belong to no item any more

# A value of an attribute and whether it is a truth value: to Python, True and 1 are the same.
Token = tuple[bool, str | int | float]
Held = tuple[bool, tuple[Token, ...]]
NOTHING: Final[Held] = (False, ())


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
    kind: str = PRODUCT


@dataclass(frozen=True, slots=True)
class Change:
    """One item as it is since `version` of the catalogue. `stock` None: not counted."""

    key: int
    item: Shown
    on_sale: bool
    published: float  # seconds since 1970, when it came to the shop
    version: int = 0
    stock: int | None = None
    available: bool = True


def token(value: str | int | float) -> Token:
    """What a value is looked up by."""
    return isinstance(value, bool), value


def held(value: Any) -> Held:
    """What an attribute holds: whether that is a list, and its values as far as they can be compared."""
    listed = isinstance(value, list)
    return listed, tuple(token(one) for one in (value if listed else (value,)) if isinstance(one, str | int | float))


class Codes:
    """One of few distinct values for each item, as small integers."""

    def __init__(self, codes: NDArray[np.int32], values: dict[Any, int]) -> None:
        self.codes, self.values = codes, values

    @classmethod
    def of(cls, values: Iterable[Any], count: int) -> "Codes":
        """The codes of these values, one for each item."""
        known: dict[Any, int] = {}
        codes = np.fromiter((known.setdefault(value, len(known)) for value in values), dtype=np.int32, count=count)
        return cls(codes, known)

    def put(self, key: int, value: Any) -> None:
        """The item `key` has `value` now."""
        self.codes[key] = self.values.setdefault(value, len(self.values))

    def matching(self, holds: Callable[[Any], bool]) -> Mask:
        """The items whose value holds; each distinct value is asked once."""
        table = np.fromiter((holds(value) for value in self.values), dtype=bool, count=len(self.values))
        mask: Mask = table[self.codes]
        return mask

    def grown(self, size: int, nothing: Any) -> "Codes":
        """A copy of `size`; what is new has the value `nothing`."""
        values = dict(self.values)
        code = values.setdefault(nothing, len(values))
        return Codes(_longer(self.codes, size, code), values)


@dataclass(slots=True)
class Columns:
    """All columns at one version, and those of the attributes that somebody has asked for."""

    keys: dict[str, int]
    on_sale: Mask
    available: Mask
    published: NDArray[np.float64]
    prices: NDArray[np.int64]
    stocks: NDArray[np.int64]
    kinds: Codes
    categories: Codes
    brands: Codes
    currencies: Codes
    attributes: dict[str, Codes] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "Columns":
        """Of no items."""
        codes = [Codes(np.empty(0, dtype=np.int32), {}) for _ in range(4)]
        nothing, never, none = np.empty(0), np.empty(0, dtype=bool), np.empty(0, dtype=np.int64)
        return cls({}, never, never, nothing, none, none, codes[0], codes[1], codes[2], codes[3])

    def grown(self, size: int) -> "Columns":
        """A copy of `size`. Attributes whose values have mostly gone out of use are left for whoever asks next."""
        kept = {name: one for name, one in self.attributes.items() if len(one.values) <= _STALE * max(size, 1)}
        return Columns(
            dict(self.keys),
            _longer(self.on_sale, size, False),
            _longer(self.available, size, False),
            _longer(self.published, size, 0),
            _longer(self.prices, size, NO_PRICE),
            _longer(self.stocks, size, NO_STOCK),
            self.kinds.grown(size, PRODUCT),
            self.categories.grown(size, ()),
            self.brands.grown(size, None),
            self.currencies.grown(size, None),
            {name: one.grown(size, NOTHING) for name, one in kept.items()},
        )

    def put(self, change: Change) -> None:
        """Take in one item."""
        key, item = change.key, change.item
        self.keys[item.item_id] = key
        self.on_sale[key] = change.on_sale
        self.available[key] = change.available
        self.published[key] = change.published
        self.prices[key] = NO_PRICE if item.price_minor is None else item.price_minor
        self.stocks[key] = NO_STOCK if change.stock is None else change.stock
        self.kinds.put(key, item.kind)
        self.categories.put(key, item.category)
        self.brands.put(key, item.brand)
        self.currencies.put(key, item.currency)
        for name, codes in self.attributes.items():
            codes.put(key, held(item.attributes.get(name)))


def _longer(array: NDArray[Any], size: int, fill: object) -> NDArray[Any]:
    longer = np.full(size, fill, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
