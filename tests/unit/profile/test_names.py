"""People search names by words, and Chinese ones by any two neighbouring characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.names import MOST_TOKENS, search_tokens, tokens


@pytest.mark.parametrize(
    ("name", "found_by"),
    [
        ("Mei-Ling O'Neil", ["mei", "ling o", "NEIL"]),
        ("王小明", ["王小明", "小明", "王小"]),
        ("李梅 Mei", ["李梅", "mei", "mei 李梅"]),
        ("Ｍｅｉ Straße", ["mei", "strasse"]),
        ("Li", ["li"]),
        ("梅", ["梅"]),
    ],
)
def test_a_name_is_found_by_its_parts(name, found_by):
    for text in found_by:
        assert set(search_tokens(text)) <= set(tokens(name)), text


@pytest.mark.parametrize(("name", "not_found_by"), [("王小明", "小王"), ("Mei Li", "Me"), ("王小明", "明王小明")])
def test_a_name_is_not_found_by_what_it_does_not_have(name, not_found_by):
    assert not set(search_tokens(not_found_by)) <= set(tokens(name))


@given(st.text())
def test_any_name_has_few_tokens_and_is_found_by_itself(name):
    assert len(tokens(name)) <= MOST_TOKENS
    if len(tokens(name)) < MOST_TOKENS:
        assert set(search_tokens(name)) <= set(tokens(name))
