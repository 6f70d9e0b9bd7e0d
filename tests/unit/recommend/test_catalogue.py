"""The catalogue in memory, and its filters."""

import numpy as np
import pytest

from services.recommend.domain.catalogue import Catalogue, Change, Shown
from services.recommend.domain.filters import Filter, FilterError, PriceRange


def change(key, item_id, category=(), brand=None, price=None, on_sale=True, **attributes):
    currency = None if price is None else "CNY"
    shown = Shown(item_id, item_id.title(), category, brand, price, currency, None, None, attributes)
    return Change(key, shown, on_sale, published=float(key))


TEA_SHOP = [
    change(0, "longjing", ("Tea", "Green"), "Hill", 2800),
    change(1, "puer", ("Tea", "Dark"), "Yun", 8800, colour="brown"),
    change(2, "cup", ("Ware",), None, 1250, colour=["white", "blue"], dishwasher=True),
    change(3, "pot", ("Ware", "Green"), "Hill", 12000, on_sale=False, colour="red", litres=1.2),
    change(4, "voucher", (), None, None),
]


@pytest.fixture
def catalogue():
    return Catalogue().changed(TEA_SHOP, version=1)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), {0, 1, 2, 3, 4}),
        (Filter(categories=(("Tea",),)), {0, 1}),
        (Filter(categories=(("Green",),)), {0, 3}),
        (Filter(categories=(("Tea", "Green"),)), {0}),
        (Filter(categories=(("Tea", "Dark"), ("Ware",))), {1, 2, 3}),
        (Filter(brands=("Hill",)), {0, 3}),
        (Filter(brands=("Hill",), categories=(("Ware",),)), {3}),
        (Filter(brands=("Nobody",)), set()),
        (Filter(price=PriceRange("CNY", 2000, 9000)), {0, 1}),
        (Filter(price=PriceRange("CNY", highest=1250)), {2}),
        (Filter(price=PriceRange("CNY")), {0, 1, 2, 3}),
        (Filter(price=PriceRange("USD", 0)), set()),
        (Filter(attributes=(("colour", ("blue", "red")),)), {2, 3}),
        (Filter(attributes=(("litres", (1.2,)),)), {3}),
        (Filter(attributes=(("dishwasher", (True,)),)), {2}),
        (Filter(attributes=(("no such attribute", ("x",)),)), set()),
    ],
)
def test_a_filter_lets_through_exactly_what_it_says(catalogue, wanted, found):
    assert set(np.flatnonzero(catalogue.mask(wanted)).tolist()) == found


def test_true_is_not_one(catalogue):
    assert not catalogue.mask(Filter(attributes=(("dishwasher", (1,)),))).any()


def test_a_price_range_must_be_one():
    with pytest.raises(FilterError):
        PriceRange("CNY", 5, 4)


def test_a_change_makes_a_new_catalogue_and_leaves_the_old_as_it_was(catalogue):
    later = catalogue.changed([change(0, "longjing", ("Tea",), "Hill", 3000, on_sale=False), change(5, "tin")], 2)
    assert (catalogue.version, len(catalogue), bool(catalogue.on_sale[0])) == (1, 5, True)
    assert (later.version, len(later), bool(later.on_sale[0])) == (2, 6, False)
    assert later.key_of("tin") == 5
    assert later.closed().tolist() == [0, 3]
    assert b'"price_minor":3000' in later.rendered(0)
    assert b'"price_minor":2800' in catalogue.rendered(0)


def test_items_that_nobody_knows_are_left_out_of_the_keys(catalogue):
    assert catalogue.keys_of(["puer", "unknown"]) == [1]
    assert catalogue.key_of("unknown") is None


def test_names_of_attributes_that_callers_make_up_do_not_pile_up(catalogue):
    for number in range(1000):
        catalogue.mask(Filter(attributes=((f"made up {number}", ("x",)),)))
    assert len(catalogue.columns.attributes) <= 64
