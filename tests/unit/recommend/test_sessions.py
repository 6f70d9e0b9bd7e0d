"""The live session, and those of others that are like it."""

import numpy as np
import pytest

from services.recommend.domain import sessions
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.tastes import EMPTY, Lines

MINUTE = 1 / 24 / 60


def lines(*rows):
    """(key, kind, age in minutes) each."""
    keys, kinds, ages = zip(*rows, strict=True)
    return Lines(
        np.array(keys, dtype=np.int64),
        np.array(kinds, dtype=np.int16),
        np.ones(len(keys), dtype=np.float32),
        np.array(ages, dtype=np.float32) * np.float32(MINUTE),
    )


def history(*visits, items=8):
    """(person, first minute ago, keys a minute apart) each."""
    rows = [(person, key, ago - number) for person, ago, keys in visits for number, key in enumerate(keys)]
    person = np.array([row[0] for row in rows])
    return History(person, lines(*((key, Kind.VIEWED, ago) for _, key, ago in rows)), int(person.max()) + 1, items)


SHOP = history((0, 500, [1, 2, 3]), (1, 400, [1, 2, 4]), (2, 300, [5, 6]), (2, 100, [7]))


def test_a_pause_ends_a_session_and_one_item_is_none():
    found = sessions.learn(SHOP)
    each = np.split(found.items, found.starts[1:-1])
    assert [one.tolist() for one in each] == [[1, 2, 3], [1, 2, 4], [5, 6]]
    assert found.with_item[found.pointers[2] : found.pointers[3]].tolist() == [0, 1]


def test_only_the_newest_are_kept(monkeypatch):
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    found = sessions.learn(SHOP)
    assert [one.tolist() for one in np.split(found.items, found.starts[1:-1])] == [[1, 2, 4], [5, 6]]


def test_what_others_went_on_to_follows_and_not_what_is_there_already():
    found = sessions.learn(SHOP).followed(np.array([1, 2]), 8)
    assert np.flatnonzero(found).tolist() == [3, 4]
    # both sessions have both items: weights ½ + 1 over √3, times the root of rarity
    assert found[3] == pytest.approx(1.5 / np.sqrt(3) * np.sqrt(np.log(1 + 3 / 2)))


def test_nothing_is_said_of_items_in_no_session_and_of_unknown_ones():
    found = sessions.learn(SHOP)
    assert not found.followed(np.array([0, 7]), 8).any()
    assert not found.followed(np.array([99]), 120).any()
    assert len(found.followed(np.array([1]), 3)) == 3


def test_a_shop_without_sessions_has_none():
    empty = History(np.empty(0, dtype=np.int64), EMPTY, 0, 5)
    assert not sessions.learn(empty).followed(np.array([1]), 5).any()


def test_the_live_session_is_of_the_last_half_hour_oldest_first_each_item_once():
    viewed = ((key, Kind.VIEWED, ago) for key, ago in ((4, 300), (1, 20), (2, 15), (1, 3)))
    found = sessions.live_items(lines(*viewed, (2, Kind.REMOVED, 1)))
    assert found.tolist() == [2, 1]
    assert not len(sessions.live_items(EMPTY))
