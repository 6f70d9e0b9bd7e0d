"""What people see of addresses and names who need not know them in full."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.domain import masking

MEI = {
    "name": "王梅",
    "email": "mei@shop.example",
    "phone": "+8613800138000",
    "address": {"street": "龙井路 1 号", "city": "杭州"},
    "city": "杭州",
    "favourite": "Longjing",
}


def test_an_address_keeps_its_first_letter_and_its_domain():
    assert masking.email("mei@shop.example") == "m***@shop.example"


def test_what_is_no_address_is_hidden_whole():
    assert masking.email("not an address") == "***"


@pytest.mark.parametrize(("number", "seen"), [("+8613800138000", "+86****00"), ("12345", "****"), ("", "****")])
def test_a_number_keeps_its_ends(number, seen):
    assert masking.phone(number) == seen


def test_a_chinese_name_keeps_the_family_name():
    assert masking.name("王梅") == "王**"


def test_traits_are_masked_by_their_names_however_deep():
    masked = masking.mask_all(MEI)
    assert masked == {
        "name": "王**",
        "email": "m***@shop.example",
        "phone": "+86****00",
        "address": {"street": "***", "city": "杭州"},
        "city": "杭州",
        "favourite": "Longjing",
    }


def test_lists_of_addresses_are_masked_too():
    assert masking.mask_all({"email": ["mei@shop.example", "li@shop.example"]}) == {
        "email": ["m***@shop.example", "l***@shop.example"]
    }


def test_the_name_of_a_product_is_not_the_name_of_a_person():
    order = {"properties": {"products": [{"name": "Longjing 2026"}], "name": "王梅"}}
    assert masking.mask_all(order) == {"properties": {"products": [{"name": "Longjing 2026"}], "name": "王**"}}


@given(st.text(min_size=4, alphabet=st.characters(categories=["L", "N"])))
def test_no_masked_address_tells_the_name_before_the_at(local):
    assert local not in masking.email(f"{local}@x.yz").partition("@")[0]
