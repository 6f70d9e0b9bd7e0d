"""Codes of the second step."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.domain import resets, two_step
from services.console.domain.devices import device

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


def code_at(seconds=0):
    return pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=seconds))


def test_a_code_is_that_of_the_standard():
    # RFC 6238, appendix B, SHA-1 at 59 seconds: 94287082, of which we show the last six digits.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert two_step.step_of(secret, "287082", datetime.fromtimestamp(59, UTC)) == 1


@pytest.mark.parametrize(("drift", "step"), [(-30, STEP - 1), (0, STEP), (30, STEP + 1), (-60, None), (60, None)])
def test_a_clock_may_be_wrong_by_one_step_and_no_more(drift, step):
    assert two_step.step_of(SECRET, code_at(drift), NOW) == step


@given(st.text(max_size=12))
def test_what_is_no_code_opens_nothing(text):
    known = {code_at(drift) for drift in (-30, 0, 30)}
    if two_step.compact(text) not in known:
        assert two_step.step_of(SECRET, text, NOW) is None


def test_a_code_may_be_typed_as_apps_show_it():
    code = code_at()
    assert two_step.step_of(SECRET, f" {code[:3]} {code[3:]}", NOW) == STEP


def test_an_authenticator_is_told_whose_code_it_is():
    assert two_step.enrolment(SECRET, "mei@shop.example", "西湖知茶").startswith("otpauth://totp/")


def test_recovery_codes_have_no_letters_that_look_alike():
    code = two_step.recovery_code([*range(5), *range(26, 31)])
    assert code == "23456-vwxyz"
    assert not set("01ilo") & set(two_step.RECOVERY_ALPHABET)
    assert two_step.compact(" 23456-VWXYZ ") == "23456vwxyz"


def test_a_mail_that_does_not_leave_is_tried_ever_more_seldom_until_nobody_waits_for_it():
    pauses = [resets.next_try(attempts, NOW) - NOW for attempts in (1, 2, 3, 9)]
    assert pauses == sorted(pauses)
    assert not resets.given_up(NOW, NOW + timedelta(minutes=29))
    assert resets.given_up(NOW, NOW + timedelta(minutes=31))


def test_the_mail_speaks_the_language_of_its_reader():
    english, chinese = (resets.letter(tag, "知茶", "https://x.example/reset/1") for tag in ("en", "zh_Hans_CN"))
    assert "30 minutes" in english.text
    assert "30 分钟" in chinese.text
    assert all("https://x.example/reset/1\n" in letter.text for letter in (english, chinese))


def test_a_browser_is_called_what_its_owner_calls_it():
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    assert device(firefox) == "Firefox · Windows"
    assert device("") == ""
