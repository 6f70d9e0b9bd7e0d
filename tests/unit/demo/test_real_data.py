"""The demo's real data: all of it arrives in the messages, nothing is invented where the data speak."""

from datetime import UTC, datetime, timedelta

import orjson
import polars as pl
import pytest

from deploy.demo import catalogue, events
from deploy.demo.dataset import Dataset, Figures, figures, load

pytestmark = pytest.mark.data
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load(NOW)


@pytest.fixture(scope="module")
def orders(data: Dataset) -> list[dict]:
    return [orjson.loads(text) for text in events.orders(data)["message"]]


def test_the_year_is_complete(data: Dataset) -> None:
    assert figures(data) == Figures(
        orders=155_848,
        order_lines=1_469_307,
        customers=2_469,
        items=92_331,
        revenue_minor=459_603_958,
        unlisted_products=17,
        zero_quantity_lines=8_869,
    )


def test_the_data_end_within_the_last_seven_days_and_the_cut_is_four_weeks_before(data: Dataset) -> None:
    last = data.lines["at"].max()
    assert NOW - timedelta(days=7) <= last < NOW
    assert last < data.end <= NOW
    assert data.end - data.cut == timedelta(weeks=4)


@pytest.mark.parametrize(
    "later", [timedelta(days=1), timedelta(days=6, hours=23), timedelta(weeks=3), timedelta(weeks=60)]
)
def test_whatever_day_it_is_weekdays_and_hours_stay(data: Dataset, later: timedelta) -> None:
    moved = load(NOW + later)
    distance = moved.lines["at"][0] - data.lines["at"][0]
    assert distance % timedelta(weeks=1) == timedelta(0)
    assert NOW + later - timedelta(days=7) <= moved.lines["at"].max() < NOW + later


def test_every_basket_becomes_one_order_with_all_its_lines_and_its_total(data: Dataset, orders: list[dict]) -> None:
    assert len({order["messageId"] for order in orders}) == len(orders) == 155_848
    assert sum(len(order["properties"]["products"]) for order in orders) == 1_469_307
    assert sum(round(order["properties"]["total"] * 100) for order in orders) == 459_603_958
    lines = (product for order in orders for product in order["properties"]["products"])
    assert sum(round(product["total"] * 100) for product in lines) == 459_603_958


def test_lines_of_products_outside_the_catalogue_and_without_quantity_are_kept(
    data: Dataset, orders: list[dict]
) -> None:
    listed = set(data.products["product_id"].cast(pl.String))
    lines = [product for order in orders for product in order["properties"]["products"]]
    unlisted = {product["product_id"] for product in lines} - listed
    assert len(unlisted) == 17
    assert all("name" not in product for product in lines if product["product_id"] in unlisted)
    assert sum(product["quantity"] == 0 for product in lines) == 8_869


def test_an_event_says_when_its_basket_was_paid(data: Dataset, orders: list[dict]) -> None:
    first = data.lines.row(0, named=True)
    assert datetime.fromisoformat(orders[0]["timestamp"]) == first["at"]
    assert orders[0]["userId"] == str(first["household_id"])


def test_a_household_is_introduced_before_its_first_basket(data: Dataset) -> None:
    introductions = events.identifies(data)
    assert introductions.height == 2_469
    first = dict(data.households.select(pl.col("household_id").cast(pl.String), "first_at").iter_rows())
    for text in introductions["message"]:
        message = orjson.loads(text)
        assert datetime.fromisoformat(message["timestamp"]) < first[message["userId"]]


def test_before_and_after_the_cut_together_are_everything(data: Dataset) -> None:
    messages = events.orders(data)
    before, after = events.between(messages, None, data.cut), events.between(messages, data.cut, None)
    assert len(before) + len(after) == messages.height
    assert max(orjson.loads(text)["timestamp"] for text in before) < min(
        orjson.loads(text)["timestamp"] for text in after
    )


def test_batches_hold_every_message_once_and_stay_below_the_limit_of_the_collector(data: Dataset) -> None:
    messages = events.between(events.orders(data), data.cut, None)
    bodies = list(events.batches(messages))
    assert all(len(batch.body) < 4 * 1024 * 1024 for batch in bodies)
    sent = [message for batch in bodies for message in orjson.loads(batch.body)["batch"]]
    assert sent == [orjson.loads(text) for text in messages]
    assert [batch.messages for batch in bodies] == [len(orjson.loads(batch.body)["batch"]) for batch in bodies]


def test_prices_are_what_buyers_were_asked_before_the_cut(data: Dataset) -> None:
    items = catalogue.items(data)
    assert items.height == items["item_id"].n_unique() == 92_331
    known_later = data.lines.filter(pl.col("at") >= data.cut)["product_id"].unique()
    known_before = data.lines.filter(pl.col("at") < data.cut)["product_id"].unique()
    only_later = known_later.filter(~known_later.is_in(known_before.implode())).cast(pl.String)
    assert items.filter(pl.col("item_id").is_in(only_later.implode()))["price"].null_count() == len(
        only_later.filter(only_later.is_in(items["item_id"].implode()))
    )
    assert (items["price"].is_null() == items["currency"].is_null()).all()
