"""What a page's token holds comes back whole; anything else is refused."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.pages import LONGEST, MOST_SHOWN, PageError, opened, token


@given(st.binary(max_size=3_000), st.lists(st.integers(0, 2**32 - 1), max_size=200))
def test_request_and_shown_items_come_back(request_body, shown):
    text = token(request_body, shown)
    assert len(text) <= LONGEST
    assert opened(text) == (request_body, shown)


@given(st.text(max_size=200))
def test_what_is_no_token_is_refused_and_never_breaks(text):
    try:
        opened(text)
    except PageError:
        return
    assert token(*opened(text)) is not None


def test_after_two_thousand_items_there_is_no_further_page():
    assert token(b"{}", range(MOST_SHOWN)) is not None
    assert token(b"{}", range(MOST_SHOWN + 1)) is None


def test_a_token_that_would_unpack_to_a_flood_is_refused():
    bomb = b"\x02\x00\x00" + zlib.compress(b" " * 50_000_000)
    with pytest.raises(PageError):
        opened(base64.urlsafe_b64encode(bomb).decode())
