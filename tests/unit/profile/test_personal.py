"""Which fields of an event are a person's particulars. Sealing is marked here by angle brackets."""

from typing import Any

import pytest

from services.profile.domain import personal


def seal(text: str) -> str:
    return f"<{text}>"


def thing(fields: dict[str, Any]) -> dict[str, Any]:
    personal.seal_thing(fields, seal, look_at_values=True)
    return fields


def person(fields: dict[str, Any]) -> dict[str, Any]:
    personal.seal_person(fields, seal, look_at_values=True)
    return fields


@pytest.mark.parametrize(
    "key",
    [
        *("email", "Email", "EMAIL", "e-mail", "emailAddress", "email_address", "phone", "phoneNumber", "mobile"),
        *("firstName", "first_name", "last-name", "openid", "unionId", "deviceToken", "手机号", "收货地址"),
    ],
)
def test_contact_fields_are_sealed_under_every_usual_spelling(key):
    assert thing({key: "x1"}) == {key: "<x1>"}


def test_a_name_is_a_particular_of_people_only():
    assert person({"name": "Mei", "plan": "gold"}) == {"name": "<Mei>", "plan": "gold"}
    assert thing({"name": "Longjing tea", "product_id": "7"}) == {"name": "Longjing tea", "product_id": "7"}
    assert thing({"customer": {"name": "Mei"}}) == {"customer": {"name": "<Mei>"}}
    assert thing({"app": {"name": "Shop"}, "library": {"name": "py"}}) == {
        "app": {"name": "Shop"},
        "library": {"name": "py"},
    }


def test_products_of_an_order_keep_their_names_beside_the_buyers_address():
    order = {"email": "mei@example.com", "products": [{"name": "Tea", "product_id": "7"}], "name": "Spring order"}
    assert thing(order) == {**order, "email": "<mei@example.com>"}


def test_who_signs_up_with_an_address_is_a_person():
    assert thing({"name": "Mei", "email": "m@example.com"}) == {"name": "<Mei>", "email": "<m@example.com>"}


def test_of_an_address_city_and_country_stay_readable():
    address = {"street": "West Lake 1", "city": "Hangzhou", "country": "CN", "postalCode": "310000", "floor": 7}
    assert person({"address": address})["address"] == {
        "street": "<West Lake 1>",
        "city": "Hangzhou",
        "country": "CN",
        "postalCode": "<310000>",
        "floor": "<7>",
    }


def test_an_address_in_one_line_is_sealed_as_a_whole():
    assert person({"address": "West Lake 1, Hangzhou"}) == {"address": "<West Lake 1, Hangzhou>"}


def test_something_hidden_in_the_city_is_sealed_all_the_same():
    assert person({"address": {"city": {"street": "West Lake 1"}}}) == {
        "address": {"city": {"street": "<West Lake 1>"}}
    }


def test_an_address_under_any_other_key_is_seen_by_its_look():
    assert thing({"a": {"b": ["see", "mei@example.com"]}}) == {"a": {"b": ["see", "<mei@example.com>"]}}
    assert thing({"note": "write to mei@example.com please"}) == {"note": "write to mei@example.com please"}


def test_the_traits_in_a_context_are_a_person():
    assert thing({"traits": {"name": "Mei"}}) == {"traits": {"name": "<Mei>"}}


def test_the_push_token_of_a_device_is_sealed_and_other_tokens_are_not():
    context = {"device": {"token": "ff15", "type": "ios"}, "token": "csrf"}
    assert thing(context) == {"device": {"token": "<ff15>", "type": "ios"}, "token": "csrf"}


def test_numbers_are_particulars_too_and_nothing_is_not():
    assert person({"phone": 13800138000, "email": None, "mobile": "", "tel": True}) == {
        "phone": "<13800138000>",
        "email": None,
        "mobile": "",
        "tel": True,
    }


def test_nothing_is_sealed_twice():
    once = person({"email": "m@example.com", "address": {"street": "x", "email": "m@example.com"}})
    assert once == {"email": "<m@example.com>", "address": {"street": "<x>", "email": "<m@example.com>"}}


def test_what_was_sealed_opens_again_at_every_depth():
    opened = personal.unseal_all({"a": [{"b": "<x>"}], "n": 1}, lambda text: text.strip("<>"))
    assert opened == {"a": [{"b": "x"}], "n": 1}


@pytest.mark.parametrize("wrap", [lambda inner: {"a": inner}, lambda inner: {"a": [inner]}, lambda i: {"email": i}])
def test_objects_nested_without_end_are_refused(wrap):
    nested: Any = {}
    for _ in range(personal.DEEPEST + 2):
        nested = wrap(nested)
    with pytest.raises(personal.TooDeepError):
        thing(nested)
