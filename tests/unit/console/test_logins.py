"""When the door closes, what a password must be, what a key looks like."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console.domain import keys, logins, passwords
from shared.audit import difference

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_person_may_mistype_nine_times():
    assert not logins.too_many({"user": 9, "address": 9})
    assert logins.too_many({"user": 10, "address": 10})


def test_an_office_of_many_persons_may_mistype_more_often():
    assert not logins.too_many({"address": 59})
    assert logins.too_many({"address": 60})


def test_the_first_try_is_always_allowed():
    assert not logins.too_many({})


def test_not_every_click_is_written_down():
    assert not logins.wants_touch(NOON, NOON + timedelta(seconds=30))
    assert logins.wants_touch(NOON, NOON + timedelta(minutes=2))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("tea", "password_short"),
        ("x" * 201, "password_long"),
        ("aaaaaaaaaaaa", "password_weak"),
        ("mei@shop.example", "password_weak"),
        ("MEI@shop.example", "password_weak"),
    ],
)
def test_a_password_is_refused_with_the_reason(password, code):
    with pytest.raises(passwords.PasswordError) as refused:
        passwords.check(password, "mei@shop.example")
    assert refused.value.code == code


def test_a_few_words_are_a_good_password():
    passwords.check("green tea at noon", "mei@shop.example")
    passwords.check("早上喝一杯龙井茶再出门", "mei@shop.example")


def test_a_key_tells_what_it_opens_and_its_hint_does_not_tell_the_key():
    secret = keys.compose("collect", "AbCdEfGh")
    assert secret == "zk_collect_AbCdEfGh"
    assert keys.hint(secret, "collect") == "zk_collect_AbCd"


def test_the_audit_log_says_what_differs_and_nothing_else():
    old = {"name": "Tea House", "currency": "CNY"}
    new = {"name": "West Lake Tea", "currency": "CNY", "region": "CN"}
    assert difference(old, new) == ({"name": "Tea House", "region": None}, {"name": "West Lake Tea", "region": "CN"})
