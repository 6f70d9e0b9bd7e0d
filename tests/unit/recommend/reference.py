"""The same answers again, slowly: every condition and rule item by item, as a person with a pencil would."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from services.recommend.domain.catalogue import Catalogue, Change, Shown
from services.recommend.domain.expressions import (
    All,
    AnyOf,
    Circumstances,
    Moment,
    Not,
    Op,
    Test,
    Truth,
    VisitorCountry,
)
from services.recommend.domain.interactions import Kind
from services.recommend.domain.ranking import BLOCKED
from services.recommend.domain.tastes import EMPTY, Lines
from services.recommend.domain.wishes import Visitor

NOW = 1_800_000_000.0
DAY = 86_400.0
AT = Circumstances(NOW, "CNY", "CN")
TIE = 1e-5


@dataclass(frozen=True)
class Row:
    """An item of a test's catalogue; `days`: since when it is in the shop."""

    category: tuple[str, ...] = ()
    brand: str | None = None
    price: int | None = None
    currency: str = "CNY"
    on_sale: bool = True
    stock: int | None = None
    kind: str = "product"
    days: int = 0
    attributes: tuple[tuple[str, object], ...] = ()

    def attribute(self, name):
        return dict(self.attributes).get(name)


def one_of(*values):
    return st.sampled_from(values)


ROWS = st.lists(
    st.builds(
        Row,
        category=one_of((), ("Tea",), ("Tea", "Green"), ("Ware",), ("Ware", "Green")),
        brand=one_of(None, "Hill", "Yun"),
        price=one_of(None, 0, 100, 125, 200, 400, 1_250, 4_999, 5_000, 9_000),
        currency=one_of("CNY", "CNY", "USD"),
        on_sale=one_of(True, True, True, True, False),
        stock=st.none() | st.integers(0, 5),
        kind=one_of("product", "product", "product", "content"),
        days=st.integers(0, 60),
        attributes=st.dictionaries(
            one_of("colour", "adult", "size", "since"),
            one_of("red", "Dark red", ["red", "blue"], True, False, 1, 2.5, 0, "2027-01-10", None, {"x": 1}, []),
            max_size=3,
        ).map(lambda found: tuple(sorted(found.items()))),
    ),
    max_size=14,
)


def shop(rows):
    """The catalogue of these rows."""
    changes = []
    for key, row in enumerate(rows):
        currency = None if row.price is None else row.currency
        shown = Shown(
            *(f"item-{key}", f"Item {key}", row.category, row.brand, row.price, currency, None, None),
            dict(row.attributes),
            row.kind,
        )
        changes.append(Change(key, shown, row.on_sale, NOW - row.days * DAY, stock=row.stock, available=row.on_sale))
    return Catalogue().changed(changes, 1)


def someone(deeds):
    """A person who did these things: (item key, kind, days ago) each."""
    lines = EMPTY
    for key, kind, ago in deeds:
        line = Lines.of([key], kind)
        lines = lines + Lines(line.keys, line.kinds, line.quantities, np.asarray([ago], dtype=np.float32))
    return Visitor(lines, AT.country)


def holds(expression, key, row, at=AT):
    """Whether one item is let through."""
    if isinstance(expression, Not):
        return not holds(expression.part, key, row, at)
    if isinstance(expression, All):
        return all(holds(part, key, row, at) for part in expression.parts)
    if isinstance(expression, AnyOf):
        return any(holds(part, key, row, at) for part in expression.parts)
    return _test(expression, key, row, at)


def _test(test: Test, key, row, at):
    has, found = _field(test, key, row, at)
    if test.op is Op.HAS or not has:
        return has
    wanted = [_plain(value, at) for value in test.values]
    if any(value is None for value in wanted) and test.op in (Op.NE, Op.NOT_IN):
        return False
    wanted = [value for value in wanted if value is not None]
    if test.op in (Op.EQ, Op.IN, Op.NE, Op.NOT_IN):
        negative = test.op in (Op.NE, Op.NOT_IN)
        return negative != any(_equal(test.field, found, value) for value in wanted)
    if test.op is Op.HOLDS:
        return any(value is True for value in _listed(found))
    if test.op is Op.CONTAINS:
        return bool(wanted) and _contains(test.field, found, wanted[0])
    return bool(wanted) and any(_before(test.op, value, wanted[0]) for value in _listed(found))


def _field(test, key, row, at):
    """Whether the item has the field, and what is in it."""
    name = test.field
    if name in ("price", "price_minor"):
        there = row.price is not None and row.currency == (test.currency or at.currency)
        return there, row.price if name == "price_minor" or not there else Decimal(row.price) / 100
    if name.startswith("attributes."):
        value = row.attribute(name.removeprefix("attributes."))
        usable = [one for one in _listed(value) if isinstance(one, str | int | float)]
        return bool(usable), value
    plain = {
        "item_id": f"item-{key}", "name": f"Item {key}", "kind": row.kind, "brand": row.brand,
        "category": row.category or None, "stock": row.stock, "available": row.on_sale,
        "currency": None if row.price is None else row.currency, "published_at": NOW - row.days * DAY,
    }  # fmt: skip
    return plain[name] is not None, plain[name]


def _listed(value):
    return value if isinstance(value, list) else [value]


def _plain(value, at):
    if isinstance(value, Moment):
        return Moment(value.seconds + (at.now if value.from_now else 0))
    if isinstance(value, VisitorCountry):
        return at.country
    return value.value if isinstance(value, Truth) else value


def _equal(field, found, value):
    if field == "category":
        return value[0] in found if len(value) == 1 else found[: len(value)] == value
    if field.startswith("attributes."):
        return any(isinstance(one, bool) == isinstance(value, bool) and one == _number(value) for one in _listed(found))
    return found == value


def _number(value):
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == int(value) else float(value)


def _contains(field, found, value):
    if field == "category":
        return _equal(field, found, value)
    if isinstance(found, list):
        return _equal("attributes.", found, value)
    return isinstance(found, str) and isinstance(value, str) and value.casefold() in found.casefold()


def _before(op, one, other):
    if isinstance(other, Moment):
        other = other.seconds
        if isinstance(one, str):
            if not one.startswith("2027"):
                return False
            one = float(np.datetime64(one).astype("datetime64[s]").astype(int))
        elif isinstance(one, bool) or one < 1e9:  # a number of an attribute is no time
            return False
    elif isinstance(one, bool) or not isinstance(one, int | float | Decimal):
        return False
    other = float(other) if isinstance(one, float) else other
    return {Op.LT: one < other, Op.LE: one <= other, Op.GT: one > other, Op.GE: one >= other}[op]


def allowed(rows, deeds, wish, plan):
    """The keys that no rule forbids."""
    band = _band(rows, deeds, wish, plan.price_band)
    out = _excluded(deeds, wish, plan.exclude)
    found = set()
    for key, row in enumerate(rows):
        fits = band is None or (row.price is not None and row.currency == band[0] and band[1] <= row.price <= band[2])
        conditions = all(holds(one, key, row) for one in wish.where)
        if row.on_sale and row.kind in wish.kinds and conditions and fits and key not in out:
            found.add(key)
    return found


def kept(deeds):
    """What was bought more often than it was sent back."""
    did = [(key, kind) for key, kind, _ in deeds]
    return {key for key, _ in did if did.count((key, Kind.BOUGHT)) > did.count((key, Kind.RETURNED))}


def _excluded(deeds, wish, exclude):
    out = {*wish.exclude, wish.looked_at, *(wish.cart if exclude.in_cart else ())}
    if exclude.bought:
        out |= kept(deeds)
    elif exclude.bought_within_days is not None:
        out |= {k for k, kind, ago in deeds if kind == Kind.BOUGHT and ago <= exclude.bought_within_days} & kept(deeds)
    if exclude.viewed:
        out |= {key for key, kind, _ in deeds if kind in (Kind.VIEWED, Kind.CLICKED)}
    return out


def _band(rows, deeds, wish, band):
    if band is None:
        return None
    named = {"item": [wish.looked_at], "cart": wish.cart, "history": sorted(kept(deeds))}[band.of]
    priced = [rows[key] for key in named if key is not None and key < len(rows) and rows[key].price is not None]
    if not priced:
        return None
    counted = [row.currency for row in priced]
    # Of equally many the one the catalogue met first.
    order = list(dict.fromkeys(row.currency if row.price is not None else None for row in rows))
    currency = max(order, key=counted.count)
    prices = [row.price for row in priced if row.currency == currency]
    middle = float(np.median(prices) if band.of == "history" else np.mean(prices))
    return currency, band.low * middle, band.high * middle


def groups(row, quotas):
    """The groups an item is in, of every quota."""
    found = []
    for number, quota in enumerate(quotas):
        if quota.by == "category":
            values = [row.category] if row.category else []
        elif quota.by == "brand":
            values = [row.brand] if row.brand else []
        else:
            listed = _listed(row.attribute(quota.by))
            values = {(isinstance(one, bool), one) for one in listed if isinstance(one, str | int | float)}
        found += [(number, value) for value in values]
    return found


class Pencil:
    """An answer, place by place. Where values are as good as equal, `answer` (item keys) says which it took."""

    def __init__(self, rows, wish, plan, may, likeness, answer):
        self.rows, self.wish, self.plan, self.may, self.likeness = rows, wish, plan, set(may), likeness
        self.answer = answer
        self.chosen, self.pinned, self.used = [], {}, {}

    def fits(self, key):
        full = any(
            self.used.get(group, 0) >= self.plan.quotas[group[0]].most
            for group in groups(self.rows[key], self.plan.quotas)
        )
        return key in self.may and key not in self.chosen and not full and len(self.chosen) < self.wish.n

    def take(self, key):
        self.chosen.append(key)
        for group in groups(self.rows[key], self.plan.quotas):
            self.used[group] = self.used.get(group, 0) + 1

    def pin(self):
        for place, key in self.plan.pins:
            if place <= self.wish.n and key < len(self.rows) and self.fits(key):
                self.take(key)
                self.pinned[place] = key

    def fill(self, scores, near):
        while True:
            found = [
                k for k in range(len(self.rows)) if self.fits(k) and scores[k] > BLOCKED and (near is None or near[k])
            ]
            found.sort(key=lambda key: (-scores[key], key))
            if not found:
                return
            if self.plan.diversity == 0:
                self.take(found[0])
            else:
                self.vary(found[: 5 * (self.wish.n - len(self.chosen))], scores)

    def vary(self, pool, scores):
        low, high = scores[pool[-1]], scores[pool[0]]
        while left := [key for key in pool if self.fits(key)]:
            value = {}
            for key in left:
                relevance = (scores[key] - low) / (high - low) if high > low else 1.0
                likest = max((self.likeness(one, key) for one in self.chosen), default=0.0)
                value[key] = (1 - self.plan.diversity) * relevance - self.plan.diversity * likest
            best = max(value.values())
            as_good = [key for key in left if value[key] >= best - TIE]
            taken = [key for key in self.answer if key in as_good]
            self.take(taken[0] if taken else as_good[0])

    def shown(self):
        others = [key for key in self.chosen if key not in self.pinned.values()]
        shown = []
        for place in range(1, len(self.chosen) + 1):
            if place in self.pinned:
                shown.append(self.pinned[place])
            elif others:
                shown.append(others.pop(0))
        return shown + others + [key for place, key in sorted(self.pinned.items()) if place > len(self.chosen)]
