"""What people are told of an item, in both languages."""

from datetime import date

import pytest

from services.recommend.domain.explanations import LONGEST_NAME, about_date, about_item, in_words
from services.recommend.domain.wishes import Reason


@pytest.mark.parametrize("kind", ["product", "content"])
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_in_both_languages(reason, kind):
    english, chinese = in_words(reason, kind)
    assert english.isascii()
    assert not chinese.isascii()
    assert max(len(english), len(chinese)) < 60
    assert all(about_item(reason, kind, "茶")), "also where it is about another item"


def test_a_long_name_is_cut():
    english, chinese = about_item(Reason.BOUGHT_TOGETHER, "product", "茶" * 300)
    assert len(english) < LONGEST_NAME + 30
    assert "茶…" in chinese


def test_a_due_day_is_told_until_it_has_come():
    today = date(2026, 11, 26)
    assert about_date(date(2026, 12, 3), today) == (
        "You may need it again around 3 Dec",
        "你可能在12月3日前后又需要它",
    )
    assert about_date(today, today) == ("You may need it again by now", "你可能又该买了")
