"""Sealing, the blind index and signed tokens."""

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from shared import crypto
from shared.config import Settings


def settings(data_key: str = "d" * 32, secret_key: str = "s" * 32) -> Settings:
    return Settings("profile", "", "", secret_key, data_key, "", "", {}, "", "info", 1)


@pytest.fixture(autouse=True)
def keys():
    crypto.configure(settings())


@given(text=st.text())
def test_what_is_sealed_comes_back_and_never_looks_like_itself(text):
    crypto.configure(settings())
    token = crypto.seal(text)
    assert crypto.unseal(token) == text
    assert crypto.is_sealed(token)
    assert len(text) < 4 or text not in token


def test_the_same_address_is_sealed_differently_each_time_but_indexed_the_same():
    assert crypto.seal("mei@example.com") != crypto.seal("mei@example.com")
    assert crypto.blind_index("email", "mei@example.com") == crypto.blind_index("email", "mei@example.com")
    assert crypto.blind_index("email", "x") != crypto.blind_index("phone", "x")


def test_another_data_key_opens_nothing_and_finds_nothing():
    token, index = crypto.seal("mei@example.com"), crypto.blind_index("email", "mei@example.com")
    crypto.configure(settings(data_key="e" * 32))
    with pytest.raises(crypto.SealError, match="another key"):
        crypto.unseal(token)
    assert crypto.blind_index("email", "mei@example.com") != index


def test_a_customer_who_types_a_sealed_looking_value_has_it_sealed_like_any_other():
    typed = crypto.PREFIX + "A" * 60
    assert crypto.unseal(crypto.seal(typed)) == typed


def test_every_changed_character_of_a_token_is_noticed():
    token = crypto.sign("click", {"row": 7})
    assert crypto.verify("click", token) == {"row": 7}
    for place, letter in enumerate(token):
        forged = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(ValueError, match="token"):
            crypto.verify("click", forged)


def test_a_token_serves_one_purpose_only_and_ends_when_it_said():
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as clock:
        token = crypto.sign("preferences", {"customer": 1}, ttl_s=60)
        with pytest.raises(ValueError, match="not ours"):
            crypto.verify("unsubscribe", token)
        clock.shift(61)
        with pytest.raises(ValueError, match="expired"):
            crypto.verify("preferences", token)
