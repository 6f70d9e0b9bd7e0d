"""Visits as lines, and as a matrix whose entries fade with each later visit."""

import numpy as np

from services.recommend.domain.challengers.log import Log

TEA, CUP, POT = 0, 1, 2
MEI = Log.of({0: [[TEA], [TEA, CUP], [POT]], 2: [[CUP]]}, 3)


def test_an_item_counts_by_the_last_time_it_was_taken():
    assert MEI.matrix(0.5).toarray().tolist() == [[0.5, 0.5, 1], [0, 0, 0], [0, 1, 0]]


def test_with_repeats_every_time_counts():
    assert MEI.matrix(0.5, repeats=True).toarray().tolist() == [[0.75, 0.5, 1], [0, 0, 0], [0, 1, 0]]


def test_without_an_order_nothing_fades():
    unordered = Log(MEI.people, MEI.items, MEI.visits, 3, 3, ordered=False)
    assert unordered.matrix(0.5).toarray().tolist() == [[1, 1, 1], [0, 0, 0], [0, 1, 0]]


def test_a_part_of_the_lines_keeps_the_size_of_the_whole():
    part = MEI.only(MEI.since > 0)
    assert part.matrix().shape == (3, 3)
    assert np.array_equal(part.last_visits, [1, -1, -1])
