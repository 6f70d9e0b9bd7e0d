"""Which recipe the next model is made by: the champion's, unless another surely ranks better on the same split.

Data are renewed with every run; what a model is made with changes only on evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import validation
from services.recommend.domain.described import Described
from services.recommend.domain.fitting import Fitted, fit
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Blend, Parameters, Recipe, Weights

MOST_TUNED_ON: Final = 50_000  # people: what tuning costs is bounded
MOST_TUNED_LINES: Final = 200_000  # about: each setting that is tried fits all parts anew
MOST_LINES: Final = (
    1_500_000  # about: to find the weights and to judge, the challenger and the champion are fitted once
)
SURELY: Final = 1.645  # standard errors: one side, 95 %
_TUNERS: Final = 1 / 3  # of the people at most
_ITERATIONS: Final = 5
_STRENGTHS: Final = (1.5, 0.5, 4.0)
_TRENDS: Final = (0.5, 0.75, 1.0, 0.25, 0.0)
_WALKS: Final = ((1.0, 0.6), (0.8, 0.4))

_Parted = tuple[list[validation.Person], list[validation.Person]]


@dataclass(frozen=True)
class Verdict:
    """`chosen`: by which to make the model; `evidence` of it. `beaten`: a recipe that was tried and is not taken."""

    chosen: Recipe
    evidence: dict[str, Any]
    beaten: Recipe | None = None
    beaten_evidence: dict[str, Any] | None = None


def decide(history: History, described: Described | None, start: Parameters, champion: Recipe | None) -> Verdict:
    """Tune a challenger on some of the people, judge it and the champion's recipe by the others, who are more.

    Settings are tried on at most 50,000 people and about 200,000 lines, weights found and recipes judged with 1.5
    million. Memory: two fitted models at a time.
    """
    whole = _of_lines(history, MOST_LINES)
    small = _of_lines(whole, MOST_TUNED_LINES).of_some(MOST_TUNED_ON)
    sampled = whole.spread(small.person_count)
    tuners = _tuners(sampled, whole.person_count)
    bench, days = _Bench.of(whole, described, tuners)
    about: dict[str, Any] = {"days_held_out": round(days, 3)}
    if bench.is_empty:
        return Verdict(champion or Recipe(start, Blend()), {**about, "people": 0})
    trial = bench if small is whole else _Bench.of(small, described, np.flatnonzero(np.isin(sampled, tuners)))[0]
    parameters = _timed(bench, start if trial.is_empty else _tuned(trial, start))
    tuned_on, judged = bench.people(parameters)
    challenger = Recipe(parameters, validation.choose_blend(tuned_on))
    about |= {"people": len(judged), "tuned_on": {"people": len(tuned_on)}}
    figures = bench.figures(challenger)
    if champion is None or champion == challenger:
        return Verdict(challenger, {**about, **figures})
    gain = validation.gain(judged, challenger.blend, bench.people(champion.parameters)[1], champion.blend)
    compared = {"over_champion": gain, "beats_champion": surely_better(gain.values())}
    if compared["beats_champion"]:
        return Verdict(challenger, {**about, **figures, **compared})
    kept = {**about, **bench.figures(champion)}
    return Verdict(champion, kept, challenger, {**about, **figures, **compared})


def _tuners(sampled: NDArray[np.int64], people: int) -> NDArray[np.int64]:
    """Who tunes: a third of the people, those on whom settings are tried among them; the others judge."""
    wanted = int(people * _TUNERS)
    if len(sampled) > wanted:
        return np.arange(0, people, 3)
    others = np.setdiff1d(np.arange(people), sampled)
    more = np.linspace(0, max(len(others) - 1, 0), wanted - len(sampled)).astype(np.int64)
    return np.union1d(sampled, others[more])


def _of_lines(history: History, most: int) -> History:
    """That of as many people as have about so many lines."""
    share = min(1.0, most / max(len(history), 1))
    return history.of_some(max(1, int(history.person_count * share)))


def surely_better(gains: Iterable[dict[str, float]]) -> bool:
    """Whether the sum of gains is beyond what chance gives, and no purpose surely loses."""
    known = list(gains)
    total = sum(one["difference"] for one in known)
    error = sum(one["standard_error"] ** 2 for one in known) ** 0.5
    loses = any(one["difference"] < -SURELY * one["standard_error"] for one in known)
    return total > SURELY * error and not loses


class _Bench:
    """What was fitted to the past, and the people to tune on and to judge by; each setting is fitted once."""

    def __init__(self, past: History, future: History, described: Described | None, tuners: NDArray[np.int64]) -> None:
        self._past, self._future, self._described, self._tuners = past, future, described, tuners
        self._kept: dict[Parameters, tuple[Fitted, _Parted]] = {}

    @classmethod
    def of(cls, history: History, described: Described | None, tuners: NDArray[np.int64]) -> tuple["_Bench", float]:
        """With its last weeks held out, and how many days those are."""
        past, future, days = validation.held_out(history)
        return cls(past, future, described, tuners), days

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn from, or nothing to judge by."""
        return not len(self._past) or not len(self._future)

    def people(self, parameters: Parameters) -> _Parted:
        """Those to tune on and those to judge by, as these parameters see them."""
        return self._of(parameters)[1]

    def fitted(self, parameters: Parameters) -> Fitted:
        """What was fitted with these parameters."""
        return self._of(parameters)[0]

    def figures(self, recipe: Recipe) -> dict[str, Any]:
        fitted, (_, judged) = self._of(recipe.parameters)
        return validation.figures(judged, recipe.blend, fitted)

    def _of(self, parameters: Parameters) -> tuple[Fitted, _Parted]:
        quick = _quick(parameters)
        if quick not in self._kept:
            fitted = fit(self._past, quick, self._described, self._like(quick))
            people = validation.people_of(self._past, self._future, fitted)
            self._kept[quick] = fitted, validation.parted(people, self._tuners)
        return self._kept[quick]

    def _like(self, parameters: Parameters) -> Fitted | None:
        """What was fitted to the same past and differs in what is tuned only: most of it can be taken."""
        untuned = _untuned(parameters)
        return next((fitted for known, (fitted, _) in self._kept.items() if _untuned(known) == untuned), None)

    def forget_but(self, parameters: Parameters) -> None:
        """Let go of what lost: the fitted models are what takes memory."""
        self._kept = {known: found for known, found in self._kept.items() if known == _quick(parameters)}


def _quick(parameters: Parameters) -> Parameters:
    return replace(parameters, als=replace(parameters.als, iterations=_ITERATIONS, regularization=0.0))


def _untuned(parameters: Parameters) -> Parameters:
    return replace(parameters, regularization_strength=0.0, walk_alpha=0.0, walk_beta=0.0, trend_power=0.0)


def _tuned(bench: _Bench, start: Parameters) -> Parameters:
    """The settings of factors and of neighbours by which each alone foretells best."""
    tried = [replace(start, regularization_strength=strength) for strength in _STRENGTHS]
    chosen = _best(bench, tried, "collaborative")
    tried = [replace(chosen, walk_alpha=alpha, walk_beta=beta) for alpha, beta in _WALKS]
    return _best(bench, tried, "neighbours")


def _timed(bench: _Bench, start: Parameters) -> Parameters:
    """The power of the trend by which EASE foretells best; the usual one, unless another is surely better."""
    asked = validation.DISCOVER.asked(bench.people(start)[0])
    if len(asked) < validation.FEWEST_PEOPLE:
        return start
    trend, alone = bench.fitted(start).trend, replace(Weights(), ease=1.0)
    quality = {}
    for power in dict.fromkeys((start.trend_power, *_TRENDS)):
        change = np.power(trend, np.float32(power - start.trend_power))
        quality[power] = validation.DISCOVER.quality([one.changed("ease", change) for one in asked], alone)
    return replace(start, trend_power=validation.simplest_best(quality))


def _best(bench: _Bench, tried: list[Parameters], part: str) -> Parameters:
    alone = replace(Weights(), **{part: 1.0})
    best, most = tried[0], -1.0
    for parameters in tried:
        asked = validation.DISCOVER.asked(bench.people(parameters)[0])
        if len(asked) < validation.FEWEST_PEOPLE:
            return tried[0]
        quality = float(validation.DISCOVER.quality(asked, alone).mean())
        if quality > most:
            best, most = parameters, quality
        bench.forget_but(best)
    return best
