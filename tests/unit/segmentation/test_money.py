"""Amounts of money -> minor units."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.domain.money import currency_code, exponent, line_amount, minor_units, number


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (19.99, "CNY", 1999),
        ("1,234.50", "USD", 123450),
        ("１２．５０", "CNY", 1250),
        (1200, "JPY", 1200),
        (1200.5, "JPY", 1201),
        (1.2345, "KWD", 1235),
        (1.005, "USD", 101),
        (-1.005, "USD", -101),
        (0, "USD", 0),
        ("free", "USD", None),
        ("12,34", "USD", None),
        (True, "USD", None),
        (None, "USD", None),
        (float("nan"), "USD", None),
        (float("inf"), "USD", None),
        (10**400, "USD", None),
        (1e14, "USD", None),
        ([1], "USD", None),
    ],
)
def test_an_amount_is_read_as_the_text_it_was_meant_as(amount: object, currency: str, minor: int | None) -> None:
    assert minor_units(amount, exponent(currency)) == minor


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4), st.sampled_from([0, 2, 3]))
def test_rounding_is_that_of_the_decimal_text_half_away_from_zero(amount: Decimal, decimals: int) -> None:
    assert minor_units(float(amount), decimals) == int((amount * 10**decimals).to_integral_value(ROUND_HALF_UP))


@given(st.integers(1, 100_000), st.integers(0, 500))
def test_a_line_is_rounded_once_as_a_whole(price_in_thousandths: int, quantity: int) -> None:
    exact = Decimal(price_in_thousandths) / 1000 * quantity * 100
    expected = int(exact.to_integral_value(ROUND_HALF_UP))
    assert line_amount(price_in_thousandths / 1000, float(quantity), 2) == expected


def test_a_unit_price_finer_than_a_cent_loses_nothing_over_many() -> None:
    assert line_amount(0.125, 1000.0, 2) == 12500


@pytest.mark.parametrize(
    ("given_code", "read"),
    [("cny", "CNY"), (" USD ", "USD"), ("RMB", "CNY"), ("¥", "CNY"), ("dollars", "CNY"), (None, "CNY"), (7, "CNY")],
)
def test_a_currency_that_is_none_is_the_shops(given_code: object, read: str) -> None:
    assert currency_code(given_code, "CNY") == read


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_whatever_stands_for_a_number_is_read_or_left_out(value: object) -> None:
    found = number(value)
    assert found is None or abs(found) <= 1e300
