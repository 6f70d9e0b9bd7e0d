"""Reading profile's log: each entry takes effect once, in whatever order things are reported."""

import pytest

from services.recommend.actions import interactions
from services.recommend.domain.interactions import Kind
from shared.ids import uuid7


@pytest.fixture
def lines(recommend_tx, as_recommend):
    """Read the log to its end and return (item or product, kind, quantity) of each line."""

    def read():
        as_recommend(interactions.read_events)
        rows = recommend_tx.all(
            """
            SELECT coalesce(item_id, product_id || '?') AS what, interaction.kind, quantity
            FROM interaction LEFT JOIN item USING (item_key) ORDER BY position, line
            """
        )
        return [(row["what"], Kind(row["kind"]), row["quantity"]) for row in rows]

    return read


def test_an_order_becomes_lines(shop, teas, lines):
    shop.bought("mei", "longjing", "cup")
    assert lines() == [("longjing", Kind.BOUGHT, 1.0), ("cup", Kind.BOUGHT, 1.0)]


def test_nothing_is_read_twice(shop, teas, lines):
    shop.bought("mei", "longjing")
    lines()
    shop.bought("mei", "cup")
    assert len(lines()) == 2
    assert len(lines()) == 2


def test_a_failure_midway_leaves_nothing_half_done(shop, teas, lines, as_recommend, monkeypatch):
    shop.bought("mei", "longjing")
    with monkeypatch.context() as patch:
        patch.setattr(interactions.store, "learn_aliases", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            as_recommend(interactions.read_events)
    assert lines() == [("longjing", Kind.BOUGHT, 1.0)]


def test_a_product_the_catalogue_lacks_is_kept_on_its_line_and_not_created(shop, teas, lines, recommend_api):
    shop.bought("mei", "longjing", "mystery")
    assert lines() == [("longjing", Kind.BOUGHT, 1.0), ("mystery?", Kind.BOUGHT, 1.0)]
    assert recommend_api.get("/v1/items/mystery").status_code == 404


def test_when_the_item_comes_to_the_catalogue_later_its_lines_are_waiting(shop, teas, lines, recommend_api):
    shop.bought("mei", "mystery")
    lines()
    recommend_api.put("/v1/items", json={"items": [{"item_id": "mystery", "name": "Mystery"}]})
    assert lines() == [("mystery", Kind.BOUGHT, 1.0)]


def test_the_same_order_reported_twice_counts_once(shop, teas, lines):
    shop.bought("mei", "longjing", order="A-1")
    lines()
    shop.bought("mei", "longjing", order="A-1")
    shop.bought("mei", "longjing", order="A-1")
    assert lines() == [("longjing", Kind.BOUGHT, 1.0)]


def test_a_corrected_order_replaces_the_first_report_also_when_it_comes_first(shop, teas, lines):
    corrected = {"order_id": "A-1", "products": [{"product_id": "pot", "quantity": 2}]}
    shop.happened("Order Updated", "mei", corrected)
    lines()
    shop.bought("mei", "longjing", order="A-1")
    assert lines() == [("pot", Kind.BOUGHT, 2.0)]
    shop.bought("wang", "cup", order="B-1")
    lines()
    shop.happened("Order Updated", "wang", {"order_id": "B-1", "products": [{"product_id": "puer"}]})
    assert lines() == [("pot", Kind.BOUGHT, 2.0), ("puer", Kind.BOUGHT, 1.0)]


@pytest.mark.parametrize("cancel_first", [True, False])
def test_a_cancelled_order_leaves_a_return_beside_each_line(shop, teas, lines, cancel_first):
    steps = [
        lambda: shop.bought("mei", "longjing", "cup", order="A-1"),
        lambda: shop.happened("Order Cancelled", "mei", {"order_id": "A-1"}),
    ]
    for step in reversed(steps) if cancel_first else steps:
        step()
        lines()
    assert sorted(lines()) == [
        ("cup", Kind.BOUGHT, 1.0), ("cup", Kind.RETURNED, 1.0),
        ("longjing", Kind.BOUGHT, 1.0), ("longjing", Kind.RETURNED, 1.0),
    ]  # fmt: skip


def test_a_correction_of_a_cancelled_order_is_cancelled_too(shop, teas, lines):
    shop.bought("mei", "longjing", order="A-1")
    shop.happened("Order Refunded", "mei", {"order_id": "A-1"})
    lines()
    shop.happened("Order Updated", "mei", {"order_id": "A-1", "products": [{"product_id": "cup"}]})
    assert sorted(lines()) == [("cup", Kind.BOUGHT, 1.0), ("cup", Kind.RETURNED, 1.0)]


def test_after_a_merge_and_a_split_each_line_is_where_its_identity_is(shop, teas, lines, recommend_tx):
    shop.bought("mei", "longjing")
    shop.happened("Product Viewed", "visitor", {"product_id": "cup"}, anonymous=True)
    lines()
    shop.merged("visitor", into="mei")
    lines()
    owners = "SELECT customer_id, count(*) AS lines FROM interaction GROUP BY 1"
    assert recommend_tx.all(owners) == [{"customer_id": shop.people["mei"], "lines": 2}]
    shop.split("visitor")
    lines()
    assert {row["customer_id"]: row["lines"] for row in recommend_tx.all(owners)} == {
        shop.people["mei"]: 1,
        shop.people["visitor"]: 1,
    }


def test_a_click_keeps_the_recommendation_it_came_from(shop, teas, lines, recommend_tx):
    shown = uuid7()
    shop.happened("Product Clicked", "mei", {"product_id": "cup", "recommendation_id": str(shown)})
    lines()
    assert recommend_tx.value("SELECT recommendation_id FROM interaction") == shown


def test_ids_of_the_shops_are_kept_only_as_keyed_hashes(shop, teas, lines, recommend_tx):
    shop.bought("mei-secret-login", "longjing")
    lines()
    aliases = [row["alias"] for row in recommend_tx.all("SELECT alias FROM identity_alias")]
    assert len(aliases) == 1
    assert "mei" not in aliases[0]
