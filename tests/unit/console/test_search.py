"""What somebody typed into the search box."""

import pytest

from services.console.domain import search

ID = "01a20046-b1b0-718a-b984-577398a63af2"


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("mei@shop.example", ["email", "user_id", "anonymous_id"]),
        ("+86 138 0013 8000", ["phone"]),
        ("13800138000", ["phone", "user_id", "anonymous_id"]),
        ("u-17", ["user_id", "anonymous_id"]),
        ("Mei Wang", []),
        ("  ", []),
    ],
)
def test_it_is_tried_as_each_identifier_it_can_be(typed, kinds):
    assert [one.partition(":")[0] for one in search.identifiers(typed)] == kinds


def test_who_names_the_kind_means_it():
    assert search.identifiers("user_id:13800138000") == ["user_id:13800138000"]


@pytest.mark.parametrize("typed", ["王梅", "Mei Wang", "O'Neill", "mei"])
def test_letters_can_be_a_name(typed):
    assert search.may_be_name(typed)


@pytest.mark.parametrize("typed", ["mei@shop.example", "13800138000", ID, "user_id:mei"])
def test_addresses_numbers_and_ids_are_no_names(typed):
    assert not search.may_be_name(typed)


def test_one_of_our_ids_is_known_as_such():
    assert str(search.customer_id(f" {ID} ")) == ID
    assert search.customer_id("mei") is None
