"""The invented part of the demo: always the same people, at addresses that no mail server can have."""

import pytest

from deploy.demo.people import Person, person

HOUSEHOLDS = range(1, 2501)


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [person(household) for household in HOUSEHOLDS]


def test_a_household_is_the_same_person_in_every_demo(people: list[Person]) -> None:
    assert people == [person(household) for household in HOUSEHOLDS]


def test_nobody_shares_an_address_and_all_addresses_are_reserved_ones(people: list[Person]) -> None:
    assert len({who.email for who in people}) == len(people)
    assert all(who.email.endswith("@customers.example") and who.email.isascii() for who in people)


def test_some_are_addressed_in_chinese(people: list[Person]) -> None:
    chinese = [who for who in people if who.locale == "zh-CN"]
    assert 0.08 < len(chinese) / len(people) < 0.16
    assert all(not who.name.isascii() for who in chinese)


def test_most_consent_some_open_and_only_those_click(people: list[Person]) -> None:
    assert 0.7 < sum(who.consents for who in people) / len(people) < 0.85
    assert 0.3 < sum(who.opens for who in people) / len(people) < 0.45
    assert all(who.opens for who in people if who.clicks)
