"""The families of models that contend, which settings of each are tried, and for which data.

Those that gain most for their time come first: where time ends, the last are left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.recommend.domain.challengers import (
    affinity,
    alike,
    ease,
    factors,
    firsts,
    frequency,
    graph,
    neighbours,
    popular,
    rhythm,
    successors,
    tifu,
    timely,
    walks,
)
from services.recommend.domain.challengers.log import Contender, Log

Settings = dict[str, Any]
_LARGE_ITEMS: Final = 25_000
_LARGE_LINES: Final = 3_000_000
_DECAYS: Final = ({"decay": 0.98}, {"decay": 0.9}, {"decay": 0.8}, {"decay": 0.6})


@dataclass(frozen=True)
class Family:
    """`grids`: settings tried one grid after the other, the best of one kept for the next."""

    name: str
    model: Callable[..., Contender]
    grids: Sequence[Sequence[Settings]]
    needs_order: bool = False
    needs_repeats: bool = False
    only_new: bool = False
    needs_days: bool = False
    needs_groups: bool = False
    decays: bool = False
    large: Sequence[Sequence[Settings]] = field(default=())

    def suits(self, log: Log, repeats: bool) -> bool:
        """Whether it can say anything about such data."""
        dated = log.days is not None or not self.needs_days
        return (
            dated
            and (bool(log.groups) or not self.needs_groups)
            and (log.ordered or not self.needs_order)
            and (repeats or not self.needs_repeats)
            and not (repeats and self.only_new)
        )

    def stages(self, log: Log) -> Iterable[Sequence[Settings]]:
        """The grids for data of this size; fewer settings where each costs more."""
        is_large = log.item_count > _LARGE_ITEMS or len(log) > _LARGE_LINES
        yield from self.large if is_large and self.large else self.grids
        if self.decays and log.ordered:
            yield _DECAYS

    def fit(self, log: Log, settings: Settings) -> Contender:
        """The model with these settings."""
        return self.model(log, **settings)


FAMILIES: Final = (
    Family("popular", popular.fit, (({},),)),
    Family(
        "recently popular", popular.fit, (tuple({"half_life": days} for days in (3, 7, 14, 30, 90)),), needs_days=True
    ),
    Family(
        "firsts",
        firsts.fit,
        (({"power": 1.0}, {"power": 0.5}, {"power": 1.5}), ({"half_life": 14.0}, {"half_life": 56.0})),
        needs_days=True,
        only_new=True,
    ),
    Family(
        "timely ease",
        timely.fit,
        (({"power": 0.5}, {"power": 0.75}, {"power": 1.0}, {"power": 0.25}), ({"half_life": 7.0}, {"half_life": 28.0})),
        needs_days=True,
        only_new=True,
    ),
    Family("frequency", frequency.fit, (({},),), needs_order=True, needs_repeats=True),
    Family(
        "recent frequency",
        frequency.fit,
        (tuple({"decay": decay} for decay in (0.98, 0.95, 0.9, 0.8)),),
        needs_order=True,
        needs_repeats=True,
    ),
    Family("rhythm", rhythm.fit, (({"visits": 3},),), needs_order=True, needs_repeats=True),
    Family(
        "tifu",
        tifu.fit,
        (
            ({"within": 0.9, "between": 0.7}, {"within": 0.95, "between": 0.9}, {"within": 1.0, "between": 0.95}),
            ({"share": 0.5}, {"share": 0.3}),
            ({"neighbours": 100},),
        ),
        needs_order=True,
        needs_repeats=True,
    ),
    Family(
        "ease",
        ease.fit,
        (tuple({"regularization": strength} for strength in (30.0, 100.0, 300.0, 1000.0)),),
        decays=True,
        large=(({"regularization": 100.0}, {"regularization": 400.0}),),
    ),
    Family(
        "alike",
        alike.fit,
        (({"neighbours": 200}, {"neighbours": 50}), ({"half_life": 20.0}, {"half_life": 60.0}), ({"power": 2.0},)),
    ),
    Family(
        "affinity",
        affinity.fit,
        (({"power": 0.5}, {"power": 1.0}), ({"half_life": 3.0}, {"half_life": 21.0})),
        needs_groups=True,
    ),
    Family(
        "graph",
        graph.fit,
        (({"share": 0.3}, {"share": 0.0}, {"share": 1.0}),),
        decays=True,
        large=(({"share": 0.3}, {"share": 0.1}),),
    ),
    Family(
        "walks",
        walks.fit,
        (
            ({"alpha": 1.0, "beta": 0.6}, {"alpha": 0.7, "beta": 0.6}, {"alpha": 1.0, "beta": 0.4}),
            ({"beta": 0.8}, {"keep": 50}),
        ),
        decays=True,
        large=(({"alpha": 0.7, "beta": 0.5}, {"alpha": 1.0, "beta": 0.6}),),
    ),
    Family(
        "als",
        factors.fit,
        (
            tuple({"strength": strength, "iterations": 5} for strength in (0.01, 0.003, 0.03, 0.1)),
            ({"unobserved": 0.2}, {"unobserved": 0.1}, {"unobserved": 0.01}, {"unobserved": 0.003}),
            ({"iterations": 12}, {"factors": 128, "iterations": 12}, {"factors": 256, "iterations": 15}),
        ),
        decays=True,
        large=(
            tuple({"strength": strength, "iterations": 5} for strength in (0.01, 0.003)),
            ({"unobserved": 0.1}, {"unobserved": 0.01}, {"unobserved": 0.003}),
            ({"iterations": 12}, {"factors": 128, "iterations": 12}, {"factors": 256, "iterations": 12}),
        ),
    ),
    Family(
        "successors",
        successors.fit,
        (
            ({"decay": 0.6}, {"decay": 0.3}, {"decay": 0.8}),
            ({"beta": 0.1}, {"beta": 0.5}),
            ({"reach": 1}, {"reach": 8}),
        ),
        needs_order=True,
    ),
    Family(
        "neighbours",
        neighbours.fit,
        (({"shrink": 10.0}, {"shrink": 100.0}, {"bm25": True, "shrink": 10.0}), ({"keep": 50}, {"keep": 500})),
        decays=True,
        large=(({"shrink": 10.0}, {"bm25": True, "shrink": 10.0}), ({"keep": 50},)),
    ),
)
