"""Work that comes together is done in one go, once, and a bad piece of it costs nobody else's."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from shared.together import Together

PATIENCE_S = 10


class Ledger:
    """Writes what it is given, all or nothing; refuses what is negative; can be held up."""

    def __init__(self, error: type[Exception] = ValueError) -> None:
        self.rounds: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self._error = error

    def write(self, numbers: list[int]) -> None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)
        if min(numbers) < 0:
            raise self._error("a negative number")
        self.rounds.append(numbers)


def divides(error: BaseException) -> bool:
    return isinstance(error, ValueError)


def handed_in_during_a_round(ledger, numbers):
    """What came of `numbers` that were all handed in while the 0 before them was being written."""
    together = Together(ledger.write, divides)
    ledger.go_on.clear()
    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        first = pool.submit(together.do, 0)
        assert ledger.begun.wait(PATIENCE_S)
        others = [pool.submit(together.do, number) for number in numbers]
        while len(together._waiting) < len(numbers):
            pass
        ledger.go_on.set()
        assert first.exception(PATIENCE_S) is None
        return [other.exception(PATIENCE_S) for other in others]


def test_what_comes_during_a_round_is_one_round_after_it():
    ledger = Ledger()
    assert handed_in_during_a_round(ledger, [1, 2, 3]) == [None] * 3
    assert [sorted(numbers) for numbers in ledger.rounds] == [[0], [1, 2, 3]]


def test_as_many_rounds_as_may_be_are_under_way_and_who_comes_then_waits_for_the_end_of_one():
    ledger = Ledger()
    together = Together(ledger.write, divides, at_once=2)
    under_way = threading.Barrier(2, timeout=PATIENCE_S)  # broken, did the second wait for the first

    def write(numbers):
        if numbers in ([0], [1]):
            under_way.wait()
        ledger.write(numbers)

    together._work = write
    ledger.go_on.clear()
    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(together.do, number) for number in (0, 1)]
        assert ledger.begun.wait(PATIENCE_S)
        done += [pool.submit(together.do, number) for number in (2, 3, 4)]
        while len(together._waiting) < 3:
            pass
        ledger.go_on.set()
        assert [one.exception(PATIENCE_S) for one in done] == [None] * 5
    assert sorted(sorted(numbers) for numbers in ledger.rounds) == [[0], [1], [2, 3, 4]]
    assert together._rounds == 0


def test_a_bad_piece_costs_nobody_elses():
    ledger = Ledger()
    errors = handed_in_during_a_round(ledger, [1, -2, 3])
    assert [type(error) for error in errors] == [type(None), ValueError, type(None)]
    assert sorted(chain.from_iterable(ledger.rounds)) == [0, 1, 3]


def test_a_failure_that_is_nobodys_fault_is_told_to_all_of_the_round_and_not_tried_again():
    ledger = Ledger(ConnectionError)
    errors = handed_in_during_a_round(ledger, [1, -2, 3])
    assert [type(error) for error in errors] == [ConnectionError] * 3
    assert ledger.rounds == [[0]]


def test_a_round_that_failed_does_not_stop_the_next_one():
    ledger = Ledger()
    together = Together(ledger.write, divides)
    with pytest.raises(ValueError, match="negative"):
        together.do(-1)
    together.do(1)
    assert ledger.rounds == [[1]]


def test_many_threads_have_each_piece_done_exactly_once():
    ledger = Ledger()
    together = Together(ledger.write, divides)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(together.do, range(2_000)))
    assert sorted(chain.from_iterable(ledger.rounds)) == list(range(2_000))
