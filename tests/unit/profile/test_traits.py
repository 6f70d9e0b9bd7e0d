"""Traits: the later wins, whatever order they arrive in, and a server outweighs a browser."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain import traits
from services.profile.domain.traits import Source, State, derive, learn, said_by, together

SAID = st.tuples(
    st.dictionaries(st.sampled_from(["plan", "city", "age"]), st.none() | st.integers(0, 3) | st.text(max_size=2)),
    st.integers(0, 3),
    st.booleans(),
)


def after(said: list[Any]) -> State:
    state: State = {}
    for told, at, trusted in said:
        state = learn(state, told, at, trusted=trusted)
    return state


def source(
    number: int, kind: str = "user_id", *, vouched: bool = True, replaced: bool = False, **known: list[Any]
) -> Source:
    return Source(UUID(int=number), kind, f"{kind}-{number}", f"<{kind}-{number}>", vouched, replaced, known)


def derived(*sources: Source) -> dict[str, Any]:
    return derive(sources, lambda sealed: sealed.strip("<>"), lambda text: f"<{text}>")


@given(st.lists(SAID), st.randoms())
def test_the_order_of_arrival_does_not_matter(said, random):
    assert after(random.sample(said, len(said))) == after(said)


@given(st.lists(SAID), st.integers(0, 10))
def test_it_does_not_matter_which_identity_a_trait_came_in_under(said, cut):
    parts = [source(1, **after(said[:cut])), source(2, **after(said[cut:]))]
    assert together(parts) == after(said)


def test_what_a_server_said_is_not_overwritten_by_a_browser():
    state = learn({}, {"plan": "gold"}, 10, trusted=True)
    assert learn(state, {"plan": "free"}, 20, trusted=False) == state
    assert learn(state, {"plan": "free"}, 20, trusted=True)["plan"][0] == "free"


def test_a_name_of_a_trait_beyond_the_five_hundredth_is_let_go():
    state = after([({f"trait {number}": 1}, 1, False) for number in range(traits.MOST_TRAITS + 5)])
    assert len(state) == traits.MOST_TRAITS


def test_an_identify_speaks_through_traits_and_through_its_context():
    context = {
        "traits": {"plan": "gold", "city": "Hangzhou"},
        "locale": "zh-CN",
        "timezone": "Asia/Shanghai",
        "ip": "1",
    }
    assert said_by({"city": "Suzhou"}, context) == {
        "plan": "gold",
        "city": "Suzhou",
        "locale": "zh-CN",
        "timezone": "Asia/Shanghai",
    }


@pytest.mark.parametrize(("told", "context"), [(None, None), ([], []), ("x", {"traits": [1]}), (None, {"locale": 5})])
def test_what_is_no_object_says_nothing(told, context):
    assert said_by(told, context) == {}


def test_a_customers_columns_come_from_the_reserved_traits():
    customer = derived(
        source(
            1,
            email=["<m@example.com>", 1, True],
            first_name=["<Mei>", 1, True],
            last_name=["<Li>", 1, True],
            timezone=["Asia/Shanghai", 1, False],
            address=[{"city": "Hangzhou", "country": "CN", "street": "<x>"}, 1, True],
            plan=[None, 2, True],
        )
    )
    assert customer["email"] == "<m@example.com>"
    assert customer["name"] == "<Mei Li>"
    assert (customer["city"], customer["country"], customer["time_zone"]) == ("Hangzhou", "CN", "Asia/Shanghai")
    assert "plan" not in customer["traits"]


def test_a_chinese_name_has_its_surname_first():
    assert derived(source(1, firstName=["<梅>", 1, True], lastName=["<李>", 1, True]))["name"] == "<李梅>"


def test_a_browsers_claim_is_never_an_address_to_write_to():
    customer = derived(source(1, email=["<evil@example.com>", 9, False], name=["<Evil>", 9, False]))
    assert (customer["email"], customer["name"]) == (None, None)


def test_an_address_that_a_server_named_is_one_to_write_to():
    assert derived(source(1), source(2, "email"))["email"] == "<email-2>"
    assert derived(source(1), source(2, "email", vouched=False))["email"] is None


def test_an_address_that_a_server_took_away_is_gone():
    assert derived(source(1, email=[None, 5, True]), source(2, "email"))["email"] is None


def test_somebody_known_by_a_browser_only_is_not_identified():
    assert derived(source(1, "anonymous_id", plan=["x", 1, False]))["identified"] is False
    assert derived(source(1, "anonymous_id"), source(2, "email"))["identified"] is True


def test_the_newest_user_id_that_a_server_named_is_the_customers():
    assert derived(source(1), source(2), source(3, vouched=False))["user_id"] == "user_id-2"


def test_a_customer_goes_by_the_id_an_alias_gave_last():
    assert derived(source(1), source(2, replaced=True))["user_id"] == "user_id-1"
