"""How a place of the shop is filled: the settings of a slot, read and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from services.recommend.domain.columns import CONTENT, PRODUCT
from services.recommend.domain.expression_parser import parse
from services.recommend.domain.expressions import Expression
from services.recommend.domain.plans import Boost, Exclusions, PriceBand, Quota
from services.recommend.domain.strategies import ASKED, Strategy

MOST_SLOTS: Final = 200
MOST_PROMOTIONS: Final = 5
KINDS: Final = (PRODUCT, CONTENT)
BANDS: Final = ("item", "cart", "history")
# What a variant of an experiment may do otherwise than its slot.
OVERRIDES: Final = frozenset(
    {
        *("strategy", "fallbacks", "n", "where", "exclude", "pins", "boosts", "quotas"),
        *("diversity", "price_band", "explore_share", "promotions"),
    }
)
# Strategies that show what the person has had to do with already: what an exclusion takes from them is everything.
SHOW_AGAIN: Final = MappingProxyType({Strategy.BUY_AGAIN: "bought", Strategy.RECENTLY_VIEWED: "viewed"})
_SHARES: Final = 1e-6
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class SlotError(ValueError):
    """Settings that contradict themselves. `errors`: where and what."""

    code = "bad_slot"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.errors = [{"path": path, "message": message}]


@dataclass(frozen=True)
class Promoted:
    """What a slot gives a share of its places to: some items, or those of an expression."""

    name: str
    share: float
    items: tuple[str, ...]
    where: Expression | None


@dataclass(frozen=True)
class Slot:
    """One slot, ready to be asked. `variants`: the slot as each variant of its experiment has it."""

    name: str
    title: Mapping[str, str]
    kinds: frozenset[str]
    strategy: Strategy
    fallbacks: tuple[Strategy, ...]
    n: int
    where: Expression | None
    exclude: Exclusions
    pins: tuple[tuple[int, str], ...]
    boosts: tuple[Boost, ...]
    quotas: tuple[Quota, ...]
    diversity: float
    price_band: PriceBand | None
    explore_share: float
    promotions: tuple[Promoted, ...]
    experiment: Mapping[str, Any] | None
    version: int = 0
    updated_at: datetime | None = None
    variants: Mapping[str, "Slot"] = field(default_factory=dict)


def is_name(text: str) -> bool:
    """Whether a slot may be called so."""
    return _NAME.fullmatch(text) is not None


def slot_of(name: str, settings: Mapping[str, Any], version: int = 0, updated_at: datetime | None = None) -> Slot:
    """The slot that these settings describe. Raises SlotError, and ExpressionError naming the field."""
    if not is_name(name):
        raise SlotError("name", "is of a-z, 0-9, _ and -, begins with a letter and has at most 63 characters")
    strategy = Strategy(settings["strategy"])
    fallbacks = tuple(dict.fromkeys(Strategy(one) for one in settings["fallbacks"] if one != strategy))
    exclude = Exclusions(**settings["exclude"])
    for one in (strategy, *fallbacks):
        if one not in ASKED:
            raise SlotError("strategy", f"{one} is no strategy to ask for")
        if one in SHOW_AGAIN and getattr(exclude, SHOW_AGAIN[one]):
            what = SHOW_AGAIN[one]
            raise SlotError(
                f"exclude.{what}", f"{one} shows what was {what}: with this exclusion it would show nothing"
            )
    band = settings["price_band"]
    return Slot(
        name=name,
        title=settings["title"],
        kinds=frozenset(settings["kinds"]),
        strategy=strategy,
        fallbacks=fallbacks,
        n=settings["n"],
        where=_expression(settings["where"], "where"),
        exclude=exclude,
        pins=_pins(settings["pins"]),
        boosts=tuple(
            Boost(parse(one["where"], f"boosts[{place}].where"), one["factor"])
            for place, one in enumerate(settings["boosts"])
        ),
        quotas=tuple(Quota(one["by"], one["most"]) for one in settings["quotas"]),
        diversity=settings["diversity"],
        price_band=None if band is None else _band(band),
        explore_share=settings["explore_share"],
        promotions=promotions_of(settings.get("promotions", ())),  # slots kept by an earlier release have none
        experiment=settings["experiment"],
        version=version,
        updated_at=updated_at,
        variants=_variants(name, settings),
    )


def _expression(text: str | None, path: str) -> Expression | None:
    return parse(text, path) if text else None


def _pins(given: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, str], ...]:
    pins = tuple(sorted((one["position"], one["item_id"]) for one in given))
    if len({position for position, _ in pins}) < len(pins):
        raise SlotError("pins", "two items cannot stand in the same place")
    if len({item_id for _, item_id in pins}) < len(pins):
        raise SlotError("pins", "one item cannot stand in two places")
    return pins


def promotions_of(given: Sequence[Mapping[str, Any]]) -> tuple[Promoted, ...]:
    """The promotions that these settings describe. Raises SlotError, and ExpressionError naming the field."""
    if sum(one["share"] for one in given) > 1 + _SHARES:
        raise SlotError("promotions", "the shares of promotions add up to at most 1")
    found = []
    for place, one in enumerate(given):
        items, where = one.get("items"), one.get("where")
        if (items is None) == (where is None):
            raise SlotError(f"promotions[{place}]", "a promotion has either `items` or `where`")
        expression = _expression(where, f"promotions[{place}].where")
        found.append(Promoted(one["name"], one["share"], tuple(items or ()), expression))
    return tuple(found)


def _band(given: Mapping[str, Any]) -> PriceBand:
    if given["low"] >= given["high"]:
        raise SlotError("price_band", "low must be below high")
    return PriceBand(given["of"], given["low"], given["high"])


def _variants(name: str, settings: Mapping[str, Any]) -> dict[str, Slot]:
    experiment = settings["experiment"]
    if experiment is None:
        return {}
    variants = experiment["variants"]
    names = [one["name"] for one in variants]
    if len(set(names)) < len(names):
        raise SlotError("experiment.variants", "each variant has a name of its own")
    if abs(sum(one["share"] for one in variants) - 1) > _SHARES:
        raise SlotError("experiment.variants", "the shares must add up to 1")
    found = {}
    for place, one in enumerate(variants):
        overrides = {**one.get("overrides", {}), **({"strategy": one["strategy"]} if one.get("strategy") else {})}
        try:
            found[one["name"]] = slot_of(name, {**settings, **overrides, "experiment": None})
        except SlotError as error:
            raise SlotError(f"experiment.variants[{place}]", str(error)) from error
    return found
