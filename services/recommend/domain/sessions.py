"""What others went on to in sessions like the live one: a bounded sample of recent sessions, kept in the artefact.

V-SKNN with STAN's weights: M. Ludewig and D. Jannach, "Evaluation of Session-based Recommendation Algorithms", UMUAI
2018; D. Garg et al., "Sequence and Time Aware Neighborhood for Session-based Recommendations", SIGIR 2019.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.tastes import Lines

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

PAUSE: Final = 0.5 / 24  # days: longer ends a session
MOST_SESSIONS: Final = 100_000
_LONGEST: Final = 30  # items of a session, the first
_LIVE: Final = 10  # of the live one, the latest
_RECENT: Final = 200  # sessions with an item, the newest
_NEAREST: Final = 100
_AGAINST: Final = (Kind.REMOVED, Kind.RETURNED)


@dataclass(frozen=True)
class Sessions:
    """`items` of each session one after the other, beginning at `starts`; oldest session first.

    `with_item`: for each item the sessions that have it, oldest first, beginning at `pointers`.
    """

    starts: NDArray[np.int32]
    items: NDArray[np.int32]
    pointers: NDArray[np.int32]
    with_item: NDArray[np.int32]

    def followed(self, live: Keys, size: int) -> Floats:
        """How much each of `size` items belongs to sessions like the live one, whose items are given oldest first."""
        live = live[live < len(self.pointers) - 1][-_LIVE:]
        near, likeness = self._nearest(live)
        counts = self.starts[near + 1] - self.starts[near]
        if not len(near):
            return np.zeros(size, dtype=np.float32)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        items = self.items[np.repeat(self.starts[near], counts) + offsets]
        found = np.bincount(items, weights=np.repeat(likeness, counts), minlength=size)[:size].astype(np.float32)
        known = min(size, len(self.pointers) - 1)
        often = np.diff(self.pointers[: known + 1])
        found[:known] *= np.sqrt(np.log1p((len(self.starts) - 1) / (often + 1))).astype(np.float32)
        found[live[live < size]] = 0
        return found

    def _nearest(self, live: Keys) -> tuple[Keys, Floats]:
        """The sessions most like it, and how like: what is latest in the live one counts most."""
        parts = [self.with_item[self.pointers[key] : self.pointers[key + 1]][-_RECENT:] for key in live.tolist()]
        weights = np.arange(1, len(live) + 1, dtype=np.float32) / max(len(live), 1)
        each = np.repeat(weights, [len(part) for part in parts])
        sessions, place = np.unique(np.concatenate([*parts, np.empty(0, np.int32)]), return_inverse=True)
        sessions = sessions.astype(np.int64)
        lengths = self.starts[sessions + 1] - self.starts[sessions]
        likeness = np.bincount(place, weights=each, minlength=len(sessions)) / np.sqrt(lengths)
        if len(sessions) > _NEAREST:
            first = np.argpartition(-likeness, _NEAREST)[:_NEAREST]
            sessions, likeness = sessions[first], likeness[first]
        return sessions, likeness.astype(np.float32)


def live_items(lines: Lines) -> Keys:
    """The items of the session that goes on now, oldest first, each once; none where the last deed is long ago."""
    recent = lines.ages < PAUSE
    if not recent.any():
        return lines.keys[:0]
    chosen = recent & ~np.isin(lines.kinds, _AGAINST)
    keys = lines.keys[chosen][np.argsort(-lines.ages[chosen], kind="stable")]
    _, last = np.unique(keys[::-1], return_index=True)
    found: Keys = keys[np.sort(len(keys) - 1 - last)]
    return found


def learn(history: History) -> Sessions:
    """The newest 100,000 sessions of at least two items."""
    lines, size = history.lines, history.item_count
    deeds = np.flatnonzero(~np.isin(lines.kinds, _AGAINST))
    order = deeds[np.lexsort((-lines.ages[deeds], history.people[deeds]))]
    people, ages, items = history.people[order], lines.ages[order], lines.keys[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (people[1:] != people[:-1]) | (ages[:-1] - ages[1:] > PAUSE)
    number = np.cumsum(begins) - 1
    _, first = np.unique(number * size + items, return_index=True)
    first = np.sort(first)
    number, items = number[first], items[first]
    counts = np.bincount(number, minlength=int(number.max(initial=-1)) + 1)
    newest = np.flatnonzero(counts > 1)
    newest = newest[np.argsort(-ages[begins][newest], kind="stable")][-MOST_SESSIONS:]
    rank = np.full(len(counts), -1, dtype=np.int64)
    rank[newest] = np.arange(len(newest))
    place = np.arange(len(items)) - (np.cumsum(counts) - counts)[number]
    kept = np.flatnonzero((rank[number] >= 0) & (place < _LONGEST))
    kept = kept[np.argsort(rank[number[kept]], kind="stable")]
    return _indexed(rank[number[kept]], items[kept], len(newest), size)


def _indexed(sessions: Keys, items: Keys, count: int, size: int) -> Sessions:
    by_item = np.argsort(items, kind="stable")
    return Sessions(
        starts=np.searchsorted(sessions, np.arange(count + 1)).astype(np.int32),
        items=items.astype(np.int32),
        pointers=np.searchsorted(items[by_item], np.arange(size + 1)).astype(np.int32),
        with_item=sessions[by_item].astype(np.int32),
    )
