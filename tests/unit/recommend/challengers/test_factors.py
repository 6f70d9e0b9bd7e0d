"""Alternating least squares among the contenders."""

import numpy as np

from services.recommend.domain.challengers import factors
from services.recommend.domain.challengers.log import Log

# Tea drinkers and coffee drinkers; the last of each has not yet bought everything.
CIRCLES = Log.of({0: [[0, 1, 2]], 1: [[0, 1, 2]], 2: [[0, 1]], 3: [[3, 4, 5]], 4: [[3, 5]]}, 6)


def test_people_are_offered_what_their_own_circle_buys():
    scores = factors.fit(CIRCLES, factors=2, unobserved=0.2, strength=0.02).scores(np.array([2, 4]))
    assert scores[0, 2] > scores[0, 3:].max()
    assert scores[1, 4] > scores[1, :3].max()


def test_what_was_taken_last_counts_most_where_the_rest_fades():
    mixed = Log.of({**{n: [[0, 1, 2]] for n in range(4)}, **{n: [[3, 4, 5]] for n in range(4, 8)}, 8: [[0], [3]]}, 6)
    scores = factors.fit(mixed, factors=2, unobserved=0.2, strength=0.02, decay=0.1).scores(np.array([8]))[0]
    assert scores[4] > scores[1]
