"""Cold items get the factors of what reads like them."""

import numpy as np
import pytest

from services.recommend.domain.content import warmed
from services.recommend.domain.described import Described

CATALOGUE = Described(
    names=["龙井 green tea", "碧螺春 green tea", "porcelain cup", "龙井 spring green tea", "unheard of"],
    categories=[["Tea", "Green"], ["Tea", "Green"], ["Ware"], ["Tea", "Green"], []],
    brands=["Hill", "Hill", None, "Hill", None],
)
FACTORS = np.array([[1, 0], [0.8, 0.1], [0, 1], [0, 0], [0, 0]], dtype=np.float32)
TAKERS = np.array([50, 40, 60, 0, 0])


def test_an_item_nobody_has_taken_lies_among_those_of_its_kind():
    found = warmed(FACTORS, TAKERS, CATALOGUE)
    tea, cup = FACTORS[0], FACTORS[2]
    assert found[3] @ tea > 0.5
    assert found[3] @ cup < 0.2
    assert found[:3] == pytest.approx(FACTORS[:3])


def test_what_reads_like_nothing_stays_without_factors():
    assert warmed(FACTORS, TAKERS, CATALOGUE)[4].tolist() == [0, 0]


def test_each_taker_gives_a_fifth_of_its_own_back():
    own = FACTORS.copy()
    own[3] = [0, 2]
    few = warmed(own, np.array([50, 40, 60, 4, 0]), CATALOGUE)[3]
    none = warmed(own, TAKERS, CATALOGUE)[3]
    assert few == pytest.approx(0.8 * own[3] + 0.2 * none, abs=1e-5)


def test_chinese_is_compared_by_pairs_of_characters():
    *_, last = next(CATALOGUE.texts())
    words = next(Described(["铁观音"], [[]], [None]).texts())
    assert (words, last) == (["铁观", "观音"], "tea")


def test_without_an_item_that_is_known_nothing_changes():
    assert warmed(FACTORS, np.zeros(5, dtype=np.int64), CATALOGUE) is FACTORS


def test_groups_are_categories_and_brands():
    category, brand = CATALOGUE.groups()
    assert category[0] == category[1] == category[3] != category[2]
    assert brand[0] == brand[3] != brand[2] == brand[4]
