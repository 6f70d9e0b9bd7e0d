"""Which recipe the next model is made by: the champion's, unless another surely ranks better on the same split.

Data are renewed with every run; what a model is made with changes only on evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from services.recommend.domain import validation
from services.recommend.domain.content import Described
from services.recommend.domain.fitting import Fitted, fit
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Blend, Parameters, Weights

MOST_TUNED_ON: Final = 50_000  # people: what tuning costs is bounded
MOST_LINES: Final = 200_000  # about: each setting that is tried fits all parts anew
SURELY: Final = 1.645  # standard errors: one side, 95 %
_ITERATIONS: Final = 5
_STRENGTHS: Final = (1.5, 0.5, 4.0)
_WALKS: Final = ((1.0, 0.6), (0.8, 0.4))


@dataclass(frozen=True)
class Recipe:
    """What a model is made with."""

    parameters: Parameters
    blend: Blend


@dataclass(frozen=True)
class Verdict:
    """`chosen`: by which to make the model; `evidence` of it. `beaten`: a recipe that was tried and is not taken."""

    chosen: Recipe
    evidence: dict[str, Any]
    beaten: Recipe | None = None
    beaten_evidence: dict[str, Any] | None = None


def decide(history: History, described: Described | None, start: Parameters, champion: Recipe | None) -> Verdict:
    """Tune a challenger on one half of the people, judge it and the champion's recipe by the other half.

    On at most 50,000 people, and about 200,000 lines. Memory: two fitted models at a time.
    """
    share = min(1.0, MOST_LINES / max(len(history), 1))
    past, future, days = validation.held_out(history.of_some(min(MOST_TUNED_ON, int(history.person_count * share))))
    bench = _Bench(past, future, described)
    about: dict[str, Any] = {"days_held_out": round(days, 3)}
    if not len(past) or not len(future):
        return Verdict(champion or Recipe(start, Blend()), {**about, "people": 0})
    challenger, tuned_on = _tuned(bench, start)
    judged = validation.halves(bench.people(challenger.parameters))[1]
    about |= {"people": len(judged), "tuned_on": tuned_on}
    figures = bench.figures(challenger)
    if champion is None or champion == challenger:
        return Verdict(challenger, {**about, **figures})
    theirs = validation.halves(bench.people(champion.parameters))[1]
    gain = validation.gain(judged, challenger.blend, theirs, champion.blend)
    compared = {"over_champion": gain, "beats_champion": surely_better(gain.values())}
    if compared["beats_champion"]:
        return Verdict(challenger, {**about, **figures, **compared})
    kept = {**about, **bench.figures(champion)}
    return Verdict(champion, kept, challenger, {**about, **figures, **compared})


def surely_better(gains: Iterable[dict[str, float]]) -> bool:
    """Whether the sum of gains is beyond what chance gives, and no purpose surely loses."""
    known = list(gains)
    total = sum(one["difference"] for one in known)
    error = sum(one["standard_error"] ** 2 for one in known) ** 0.5
    loses = any(one["difference"] < -SURELY * one["standard_error"] for one in known)
    return total > SURELY * error and not loses


class _Bench:
    """What was fitted to the past, and the people to judge by; each setting is fitted once."""

    def __init__(self, past: History, future: History, described: Described | None) -> None:
        self._past, self._future, self._described = past, future, described
        self._kept: dict[Parameters, tuple[Fitted, list[validation.Person]]] = {}

    def people(self, parameters: Parameters) -> list[validation.Person]:
        return self._of(parameters)[1]

    def figures(self, recipe: Recipe) -> dict[str, Any]:
        fitted, people = self._of(recipe.parameters)
        return validation.figures(validation.halves(people)[1], recipe.blend, fitted)

    def _of(self, parameters: Parameters) -> tuple[Fitted, list[validation.Person]]:
        quick = replace(parameters, als=replace(parameters.als, iterations=_ITERATIONS, regularization=0.0))
        if quick not in self._kept:
            fitted = fit(self._past, quick, self._described)
            self._kept[quick] = fitted, validation.people_of(self._past, self._future, fitted)
        return self._kept[quick]

    def forget_but(self, parameters: Parameters) -> None:
        """Let go of what lost: the fitted models are what takes memory."""
        quick = replace(parameters, als=replace(parameters.als, iterations=_ITERATIONS, regularization=0.0))
        self._kept = {known: found for known, found in self._kept.items() if known == quick}


def _tuned(bench: _Bench, start: Parameters) -> tuple[Recipe, dict[str, Any]]:
    """The settings of factors and of neighbours by which each alone foretells best; then the blend."""
    tried = [replace(start, regularization_strength=strength) for strength in _STRENGTHS]
    chosen = _best(bench, tried, "collaborative")
    tried = [replace(chosen, walk_alpha=alpha, walk_beta=beta) for alpha, beta in _WALKS]
    chosen = _best(bench, tried, "neighbours")
    people = validation.halves(bench.people(chosen))[0]
    return Recipe(chosen, validation.choose_blend(people)), {"people": len(people)}


def _best(bench: _Bench, tried: list[Parameters], part: str) -> Parameters:
    alone = replace(Weights(), **{part: 1.0})
    best, most = tried[0], -1.0
    for parameters in tried:
        people = validation.halves(bench.people(parameters))[0]
        asked = validation.DISCOVER.asked(people)
        if len(asked) < validation.FEWEST_PEOPLE:
            return tried[0]
        quality = float(validation.DISCOVER.quality(asked, alone).mean())
        if quality > most:
            best, most = parameters, quality
        bench.forget_but(best)
    return best
