"""What is asked of a recommender, and how good an answer is. Every item is ranked, none sampled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.challengers.log import Contender, Floats, Keys, Log
from services.recommend.domain.ranking import best_of_rows

CUTS: Final = (10, 20)
DEPTH: Final = 20
DISCOUNTS: Final = 1 / np.log2(np.arange(2, DEPTH + 2))
_FLOATS_A_TIME: Final = 8_000_000  # people × items: 32 MB for each model
_TIE: Final = np.float32(1e-6)

Figures = dict[str, float]


@dataclass(frozen=True)
class Question:
    """Whom to answer and what they took: parallel columns, in order of person."""

    asked: Keys
    wanted: Keys

    @classmethod
    def of(cls, people: Keys, items: Keys) -> "Question":
        """What each person took, in any order."""
        order = np.lexsort((items, people))
        return cls(people[order], items[order])

    def __len__(self) -> int:
        return len(self.asked)

    @cached_property
    def people(self) -> Keys:
        """Those who are asked, each once, ascending."""
        return np.unique(self.asked)

    @cached_property
    def counts(self) -> Keys:
        """How many different items each of `people` took."""
        return np.bincount(self._cells[0], minlength=len(self.people))

    @cached_property
    def _cells(self) -> tuple[Keys, Keys, int]:
        place, size = np.searchsorted(self.people, self.asked), int(self.wanted.max(initial=-1)) + 1
        rows, items = np.divmod(np.unique(place * size + self.wanted), max(size, 1))
        return rows, items, size

    def hits(self, shown: Keys) -> NDArray[np.bool_]:
        """For a row of items for each of `people`: whether each was wanted."""
        rows, items, size = self._cells
        cells = np.arange(len(self.people))[:, None] * size + shown
        return np.isin(cells, rows * size + items) & (shown < size)

    def some(self, chosen: NDArray[np.bool_]) -> "Question":
        """Of some of `people` only."""
        kept = chosen[np.searchsorted(self.people, self.asked)]
        return Question(self.asked[kept], self.wanted[kept])


def rankings(
    contenders: Sequence[Contender], log: Log, people: Keys, *, repeats: bool
) -> Iterator[tuple[Keys, list[Floats]]]:
    """For some people at a time the scores of each contender, scaled to a maximum of 1; what they have is −inf.

    Ties, and people a model knows nothing of, go by popularity.
    """
    taken = log.matrix()
    often = np.bincount(log.items, minlength=log.item_count).astype(np.float32)
    often *= _TIE / max(float(often.max(initial=0)), 1.0)
    number = max(16, _FLOATS_A_TIME // max(log.item_count, 1))
    for start in range(0, len(people), number):
        some = people[start : start + number]
        seen = None if repeats else taken[some].nonzero()
        scaled = []
        for contender in contenders:
            scores = contender.scores(some)
            if seen is not None:
                scores[seen] = -np.inf
            highest = scores.max(axis=1, keepdims=True, initial=0)
            scores *= 1 / np.where(highest > 0, highest, np.float32(1))
            scores += often
            scaled.append(scores)
        yield some, scaled


def tops(contender: Contender, log: Log, people: Keys, *, repeats: bool) -> Keys:
    """The 20 best items of each person, best first."""
    found = [best_of_rows(scores, DEPTH) for _, (scores,) in rankings([contender], log, people, repeats=repeats)]
    return np.concatenate(found)


def figures_of(top: Keys, asked: Question) -> dict[str, NDArray[np.float64]]:
    """Of each person: recall (the share of what was wanted), NDCG and hit rate of the first 10 and 20.

    `top`: a row for each of `asked.people`, best first.
    """
    hits = asked.hits(top)
    found = {}
    for cut in CUTS:
        hit = hits[:, :cut]
        found[f"recall@{cut}"] = hit.sum(axis=1) / asked.counts
        found[f"ndcg@{cut}"] = ndcg(hit, asked.counts, cut)
        found[f"hr@{cut}"] = hit.any(axis=1).astype(np.float64)
    return found


def ndcg(hits: NDArray[np.bool_], counts: Keys, cut: int = DEPTH) -> NDArray[np.float64]:
    """Of each row, best first (Järvelin and Kekäläinen 2002, gains 0 or 1)."""
    ideal = np.cumsum(DISCOUNTS)[np.minimum(counts, cut) - 1]
    found: NDArray[np.float64] = (hits[:, :cut] * DISCOUNTS[: min(hits.shape[1], cut)]).sum(axis=1) / ideal
    return found


def summary(top: Keys, asked: Question, log: Log) -> Figures:
    """Means with the half width of their 95 % interval, coverage of the catalogue, and novelty."""
    each = figures_of(top, asked)
    found = {name: round(float(values.mean()), 5) for name, values in each.items()}
    spread = {f"{name}_±": round(float(1.96 * standard_error(values)), 5) for name, values in each.items()}
    shown = top[:, : CUTS[0]]
    novelty = -np.log2((log.holders[shown] + 1) / (log.person_count + 1)).mean()
    coverage = len(np.unique(shown)) / max(log.item_count, 1)
    return {**found, **spread, "coverage@10": round(coverage, 5), "novelty@10": round(float(novelty), 3)}


def standard_error(values: NDArray[np.float64]) -> float:
    """Of the mean."""
    return float(values.std() / np.sqrt(max(len(values), 1)))
