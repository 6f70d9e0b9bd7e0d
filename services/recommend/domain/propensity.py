"""From what was known of people and what they then did: how probable it is that somebody does it next.

A logistic regression orders people; isotonic regression on scores it had not been fitted to says what happened to
people of each score. Every probability is a share that was counted, with Wilson's interval.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.statistics.comparing import wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST_BUYERS: Final = 20  # below this a curve is a guess
_FEWEST_IN_STEP: Final = 100
_RIDGE: Final = 1.0
_ROUNDS: Final = 30
_STEEPEST: Final = 30.0
_Z: Final = 1.959963984540054  # of a 95 % interval
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Logistic:
    """Weights of standardised features; the first is the intercept."""

    mean: Floats
    scale: Floats
    weights: Floats

    def score(self, features: NDArray[Any]) -> Floats:
        """Log-odds, one a row."""
        odds: Floats = self.weights[0] + ((features - self.mean) / self.scale) @ self.weights[1:]
        return odds


def fit_logistic(features: NDArray[Any], happened: Flags) -> Logistic:
    """Logistic regression with a small ridge, by Newton's method: the same data give the same weights."""
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale = np.where(scale > _TINY, scale, 1.0)
    design = np.column_stack([np.ones(len(features)), (features - mean) / scale])
    ridge = _RIDGE * np.eye(design.shape[1])
    ridge[0, 0] = _TINY
    weights = np.zeros(design.shape[1])
    share = float(np.clip(happened.mean(), 1e-6, 1 - 1e-6))
    weights[0] = math.log(share / (1 - share))
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -_STEEPEST, _STEEPEST)))
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, design.T @ (happened - chance) - ridge @ weights)
        weights += np.clip(step, -4, 4)
        if float(np.abs(step).max()) < 1e-6:
            break
    return Logistic(mean, scale, weights)


@dataclass(frozen=True)
class Calibration:
    """Steps of ascending scores: how many people had such scores, and how many of them did it."""

    begins: Floats
    people: NDArray[np.int64]
    happened: NDArray[np.int64]

    def step_of(self, scores: Floats) -> NDArray[np.int64]:
        """The step of each score; what lies outside belongs to the nearest."""
        found: NDArray[np.int64] = np.clip(np.searchsorted(self.begins, scores, "right") - 1, 0, len(self.begins) - 1)
        return found

    @property
    def probability(self) -> Floats:
        """Of each step, never falling."""
        return self.happened / self.people

    @property
    def interval(self) -> tuple[Floats, Floats]:
        """Wilson's interval (1927, 95 %) of each step."""
        low, high = wilson(self.probability, self.people, _Z)
        return np.maximum(low, 0), np.minimum(high, 1)


def calibrate(scores: Floats, happened: Flags, fewest: int = _FEWEST_IN_STEP) -> Calibration:
    """Isotonic regression of what happened on the scores; neighbouring steps are joined until each has `fewest`."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415  # loading it takes long, and few processes need it

    distinct, place = np.unique(scores, return_inverse=True)  # equal scores stay together
    people = np.bincount(place)
    done = np.bincount(place, weights=happened)
    blocks = isotonic_regression(done / people, weights=people).blocks
    starts = _joined(blocks[:-1], np.concatenate([[0], np.cumsum(people)]), fewest)
    return Calibration(
        distinct[starts], np.add.reduceat(people, starts), np.rint(np.add.reduceat(done, starts)).astype(np.int64)
    )


def _joined(starts: NDArray[np.int64], before: NDArray[np.int64], fewest: int) -> NDArray[np.int64]:
    """Those of the ascending `starts` that leave at least `fewest` people (`before` each) to every step."""
    kept = [0]
    for start in starts.tolist():
        if before[start] - before[kept[-1]] >= fewest and before[-1] - before[start] >= fewest:
            kept.append(start)
    return np.asarray(kept, dtype=np.int64)


@dataclass(frozen=True)
class Learned:
    """A score, what it meant, and how well it told people apart that it had not been fitted to."""

    logistic: Logistic
    calibration: Calibration
    people: int
    happened: int
    auc: float
    lift: float  # of the tenth with the highest scores over everybody


def learn(features: NDArray[Any], happened: Flags) -> Learned | None:
    """Fit and calibrate. None where it happened to too few people, or to too few it did not happen.

    The scores that are calibrated come from the other half of the people each (two-fold cross-fitting).
    """
    count = int(happened.sum())
    if min(count, len(happened) - count) < FEWEST_BUYERS:
        return None
    order = np.random.default_rng(len(happened)).permutation(len(happened))
    scores = np.empty(len(happened))
    for told, asked in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        scores[asked] = fit_logistic(features[told], happened[told]).score(features[asked])
    top = np.argsort(-scores, kind="stable")[: max(1, len(scores) // 10)]
    return Learned(
        fit_logistic(features, happened),
        calibrate(scores, happened),
        len(happened),
        count,
        area_under_curve(scores, happened),
        float(happened[top].mean() / happened.mean()),
    )


def area_under_curve(scores: Floats, happened: Flags) -> float:
    """The chance that somebody to whom it happened has the higher score; ties count half. 0.5 where there are none."""
    positives = int(happened.sum())
    negatives = len(happened) - positives
    if not positives or not negatives:
        return 0.5
    distinct, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place, minlength=len(distinct))
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][happened].sum() - positives * (positives + 1) / 2) / (positives * negatives))


@dataclass(frozen=True)
class Expected:
    """How many of some people will do it: the sum of their probabilities, and a 95 % interval."""

    count: float
    low: float
    high: float


def expected(calibration: Calibration, chosen: NDArray[np.int64], share: float = 1.0) -> Expected:
    """What to expect of people, `chosen` of each step; `share` of those who do it do it with what is asked about.

    The interval holds the uncertainty of each step's share and the chance in what each person does.
    """
    p = calibration.probability * share
    count = float(chosen @ p)
    variance = float(np.sum(chosen**2 * p * np.maximum(1 - p, 0) / calibration.people + chosen * p * (1 - p)))
    reach = _Z * math.sqrt(variance)
    return Expected(count, max(0.0, count - reach), min(float(chosen.sum()), count + reach))
