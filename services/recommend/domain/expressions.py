"""Conditions on items: one language for filters, boosts and rules, as a tree that masks.py turns into masks.

A test of something an item does not have is never true, whichever way it asks (also != and not in). `not` turns an
answer round: `not attributes.adult` lets through what is not said to be for adults.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from services.recommend.domain.filters import Filter

ATTRIBUTE: Final = "attributes."
DAY_S: Final = 86_400.0


class Op(StrEnum):
    """What a test asks. HAS: whether the item has the field at all; HOLDS: whether it is true."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"
    HAS = "has"
    HOLDS = "holds"


class Truth(Enum):
    """A truth value. Python's own are equal to 1 and 0, and so would be the conditions made of them."""

    YES = True
    NO = False


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: `seconds` since 1970, or, where `from_now`, since now."""

    seconds: float
    from_now: bool = False


@dataclass(frozen=True, slots=True)
class VisitorCountry:
    """The country the visitor is in; where it is not known, no test with it is true."""


Value = str | Truth | int | float | Decimal | Moment | VisitorCountry | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """One field of an item against values. A category is a path; `currency` None: the shop's."""

    field: str
    op: Op
    values: tuple[Value, ...] = ()
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """What `part` does not let through."""

    part: "Expression"


@dataclass(frozen=True, slots=True)
class All:
    """What every part lets through; without parts, everything."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What some part lets through; without parts, nothing."""

    parts: tuple["Expression", ...]


Expression = Test | Not | All | AnyOf
EVERYTHING: Final = All(())


class Circumstances(NamedTuple):
    """What an expression may mean by now() (seconds since 1970), a price without a currency, and visitor.country."""

    now: float = 0.0
    currency: str = ""
    country: str | None = None


ANYWHERE: Final = Circumstances()


def tests_of(expression: Expression) -> Iterator[Test]:
    """Every test in the tree."""
    if isinstance(expression, Test):
        yield expression
    elif isinstance(expression, Not):
        yield from tests_of(expression.part)
    else:
        for part in expression.parts:
            yield from tests_of(part)


@lru_cache(maxsize=1_024)
def depends_on(expression: Expression) -> tuple[bool, bool]:
    """Whether what it lets through changes with the time, and with the visitor."""
    values = [value for test in tests_of(expression) for value in test.values]
    now = any(isinstance(value, Moment) and value.from_now for value in values)
    return now, any(isinstance(value, VisitorCountry) for value in values)


def of_filter(wanted: Filter) -> Expression:
    """The older filter as an expression."""
    parts: list[Expression] = []
    if wanted.categories:
        parts.append(Test("category", Op.IN, wanted.categories))
    if wanted.brands:
        parts.append(Test("brand", Op.IN, wanted.brands))
    if wanted.price is not None:
        currency, lowest, highest = wanted.price.currency, wanted.price.lowest, wanted.price.highest
        parts.append(Test("price_minor", Op.GE, (lowest or 0,), currency))
        if highest is not None:
            parts.append(Test("price_minor", Op.LE, (highest,), currency))
    for name, values in wanted.attributes:
        parts.append(
            Test(ATTRIBUTE + name, Op.IN, tuple(Truth(one) if isinstance(one, bool) else one for one in values))
        )
    return parts[0] if len(parts) == 1 else All(tuple(parts))
