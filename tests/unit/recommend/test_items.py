"""What an item of the catalogue is."""

from decimal import Decimal

import pytest

from services.recommend.domain.items import ItemError, category_path, is_on_sale, price_in_minor


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [("19.90", "CNY", 1990), ("1500", "JPY", 1500), ("1.234", "KWD", 1234), ("0", "USD", 0), ("0.005", "USD", 1)],
)
def test_a_price_becomes_an_integer_of_its_currencys_minor_unit(price, currency, minor):
    assert price_in_minor(Decimal(price), currency) == minor


@pytest.mark.parametrize(
    ("price", "currency", "field"),
    [("1", None, "currency"), ("-1", "USD", "price"), ("NaN", "USD", "price"), ("1e400", "USD", "price")],
)
def test_what_is_no_price_is_refused_and_the_field_named(price, currency, field):
    with pytest.raises(ItemError) as refused:
        price_in_minor(Decimal(price), currency)
    assert refused.value.field == field


def test_an_item_without_a_price_has_none():
    assert price_in_minor(None, "USD") is None


@pytest.mark.parametrize("given", ["Tea > Green", ["Tea", "Green"], " Tea >Green ", ["Tea", " ", "Green"]])
def test_a_category_is_a_path_however_it_is_written(given):
    assert category_path(given) == ("Tea", "Green")


def test_an_item_counted_down_to_nothing_is_not_on_sale():
    assert is_on_sale(True, None)
    assert is_on_sale(True, 1)
    assert not is_on_sale(True, 0)
    assert not is_on_sale(False, 5)
