"""Conditions as people write them: read to the letter, or refused with the place where they go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.columns import Change
from services.recommend.domain.expression_parser import DEEPEST, LONGEST, MOST_TESTS, parse
from services.recommend.domain.expression_tokens import ExpressionError
from services.recommend.domain.expressions import Circumstances
from tests.unit.recommend.reference import AT, NOW, ROWS, Row, holds, one_of, shop

TESTS = one_of(
    *('price < 50', 'price >= 12.345', 'price = 1', 'price != 30', "price in (1, 2.5)", "price <= 7 USD"),
    *("price_minor > 1250", "price_minor not in (100, 200)", "stock > 0", "stock = 3", "not has stock", "has price"),
    *('category = "Tea"', 'category in ("Green", "Ware > Green")', 'category != "Tea > Green"', "has category"),
    *('brand = "Hill"', 'brand != "Hill"', 'brand not in ("Hill", "x")', 'brand contains "U"', 'name contains "1"'),
    *('kind = "content"', 'currency = "USD"', "available", "available = false", 'item_id in ("item-1", "item-2")'),
    *("published_at > now() - 30 days", "published_at <= now() - 1 weeks + 12 hours", 'published_at < "2027-01-01"'),
    *("attributes.adult", "not attributes.adult", "attributes.adult = true", "attributes.adult != false"),
    *("attributes.size = 1", "attributes.size < 2.5", "attributes.size in (0, 2.5)", "has attributes.size"),
    *('attributes.colour contains "red"', 'attributes.colour = "red"', 'attributes["colour"] not in ("red")'),
    *("attributes.since > now() - 10 days", 'attributes.since <= "2027-01-10"', "country = visitor.country"),
)  # fmt: skip
EXPRESSIONS = st.recursive(
    TESTS,
    lambda inner: (
        st.tuples(inner, one_of("and", "or"), inner).map(lambda parts: f"({' '.join(parts)})")
        | inner.map(lambda one: f"not ({one})")
    ),
    max_leaves=8,
)


@given(ROWS, EXPRESSIONS)
def test_an_expression_lets_through_exactly_what_it_says(rows, text):
    wanted = parse(text)
    expected = [key for key, row in enumerate(rows) if holds(wanted, key, row)]
    assert np.flatnonzero(shop(rows).matching(wanted, AT)).tolist() == expected


@given(ROWS.filter(bool), st.lists(EXPRESSIONS, min_size=1, max_size=3), st.data())
def test_after_a_change_every_mask_is_that_of_the_new_catalogue(rows, texts, data):
    catalogue = shop(rows)
    for text in texts:
        catalogue.matching(parse(text), AT)  # columns and masks that are kept
    changed = [data.draw(one_of(*rows)) if data.draw(st.booleans()) else row for row in rows]
    changed.append(Row(category=("Tea",), attributes=(("colour", "red"), ("size", 1))))
    later = catalogue.changed(_changes(changed), 2)
    for text in texts:
        assert later.matching(parse(text), AT).tolist() == shop(changed).matching(parse(text), AT).tolist()


def _changes(rows):
    made = shop(rows)
    return [
        Change(key, item, rows[key].on_sale, float(made.published[key]), 2, rows[key].stock, rows[key].on_sale)
        for key, item in enumerate(made.items)
    ]


def found(catalogue, text, **at):
    return np.flatnonzero(catalogue.matching(parse(text), Circumstances(**{**AT._asdict(), **at}))).tolist()


def test_what_an_item_does_not_have_is_never_matched_and_not_turns_that_round():
    catalogue = shop(
        [Row(brand="Hill"), Row(), Row(attributes=(("adult", True),)), Row(attributes=(("adult", False),))]
    )
    assert found(catalogue, 'brand != "Yun"') == [0]
    assert found(catalogue, 'not brand = "Yun"') == [0, 1, 2, 3]
    assert found(catalogue, "not attributes.adult") == [0, 1, 3]
    assert found(catalogue, "attributes.adult = false") == [3]
    assert found(catalogue, "price < 1 or price >= 1") == []


def test_true_and_one_are_different_conditions_also_when_both_are_kept():
    catalogue = shop([Row(attributes=(("flag", True),)), Row(attributes=(("flag", 1),))])
    assert found(catalogue, "attributes.flag = true") == [0]
    assert found(catalogue, "attributes.flag = 1") == [1]


def test_a_price_is_decimal_and_of_the_shops_currency_unless_one_is_named():
    catalogue = shop([Row(price=4_999), Row(price=5_000), Row(price=10, currency="USD"), Row(price=7, currency="JPY")])
    assert found(catalogue, "price < 50") == [0]
    assert found(catalogue, "price <= 49.99") == [0]
    assert found(catalogue, "price < 49.985") == []
    assert found(catalogue, "price < 1 USD") == [2]
    assert found(catalogue, "price = 7", currency="JPY") == [3]  # a yen has no smaller unit


def test_now_moves_on():
    catalogue = shop([Row(days=29)])
    assert found(catalogue, "published_at > now() - 30 days") == [0]
    assert found(catalogue, "published_at > now() - 30 days", now=NOW + 2 * 86_400) == []


def test_where_a_visitor_is_not_known_to_be_nothing_is_sold_by_country():
    catalogue = shop([Row(attributes=(("country", ["CN", "NZ"]),)), Row(attributes=(("country", "NZ"),)), Row()])
    assert found(catalogue, "country = visitor.country") == [0]
    assert found(catalogue, "country = visitor.country", country="NZ") == [0, 1]
    assert found(catalogue, "country = visitor.country", country=None) == []
    assert found(catalogue, "country != visitor.country", country=None) == []


def test_a_tag_is_a_whole_one_and_a_text_may_be_any_part():
    catalogue = shop([Row(attributes=(("tags", ["veganism"]),)), Row(attributes=(("tags", "Not vegan at all"),))])
    assert found(catalogue, 'tags contains "vegan"') == [1]
    assert found(catalogue, 'tags contains "veganism"') == [0]


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 1, "expected a field"),
        ("price << 3", 8, "expected a value"),
        ('color = "red"', 1, "there is no field 'color'"),
        ("brand = Hill", 9, "texts stand in quotation marks"),
        ('brand = "Hill', 9, "no closing quotation mark"),
        ("price < 'much'", 9, "price is compared with an amount"),
        ("brand < 'x'", 7, "brand cannot be asked with <"),
        ("stock", 6, "neither true nor false"),
        ('(brand = "x"', 13, "expected ')'"),
        ('brand = "x" brand = "y"', 13, "expected and, or, or the end"),
        ("price < 3 §", 11, "means nothing here"),
        ('published_at > "yesterday"', 16, "a time looks like"),
        ("published_at > now() - 3", 25, "expected minutes, hours, days or weeks"),
        ('attributes.size < "x"', 19, "a time looks like"),
        ("category = ' > '", 12, "a category has a name"),
        ("price < 99999999999999999999", 9, "too large"),
        ("available in (true)", 11, "available cannot be asked with in"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, position, message):
    with pytest.raises(ExpressionError) as refused:
        parse(text, "boosts[0].where")
    assert refused.value.position == position
    assert message in str(refused.value)
    assert refused.value.errors[0]["path"] == "boosts[0].where"


@given(
    st.text(max_size=60) | st.lists(one_of(*'price ( ) < 3 and or not in "x" , now() - days [ ]'.split())).map(" ".join)
)
def test_any_other_text_is_refused_and_nothing_worse(text):
    try:
        parse(text)
    except ExpressionError as error:
        assert 1 <= error.position <= len(text) + 1  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "price > 1 and " * LONGEST + "price > 1",
        "(" * (DEEPEST + 1) + "price > 1" + ")" * (DEEPEST + 1),
        "not " * 400 + "price > 1",
        " or ".join(["price > 1"] * (MOST_TESTS + 1)),
        f"price in ({', '.join(map(str, range(300)))})",
    ],
)
def test_an_expression_is_bounded(text):
    with pytest.raises(ExpressionError, match="at most"):
        parse(text)


def test_masks_that_callers_make_up_do_not_pile_up():
    catalogue = shop([Row(price=100)])
    for number in range(1_000):
        catalogue.matching(parse(f"price > {number}"), AT)
    assert len(catalogue._masks) <= 512
