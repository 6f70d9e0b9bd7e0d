"""The anchors on real data: UCI Online Retail (Chen, Sain, Guo 2012), a British gift shop's year.

Skipped where the data set is not there; ONLINE_RETAIL names the file, or it lies in ../shared/data.
"""

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.segmentation.actions import recompute
from services.segmentation.domain.facts import gather
from services.segmentation.domain.lifecycle import STAGES
from services.segmentation.domain.scores import Basis
from services.segmentation.store import facts, features, insights, scores
from tests.integration.segmentation.shopfront import Shopfront

FILE = Path(
    os.environ.get("ONLINE_RETAIL")
    or Path(__file__).resolve().parents[4] / "shared" / "data" / "online_retail" / "online_retail.csv.gz"
)
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not FILE.exists(), reason="needs the Online Retail data set (ONLINE_RETAIL=online_retail.csv.gz)"
    ),
]
AS_OF = datetime(2011, 12, 10, tzinfo=UTC)


@cache
def invoices() -> dict[str, list[dict[str, str]]]:
    """The lines of each invoice."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["InvoiceNo"]].append(row)
    return found


def entries(customers: dict[str, UUID], *, cleaned: bool) -> Iterator[dict[str, Any]]:
    """The invoices as log entries; `cleaned` as published: with a customer, no cancellation, positive amounts."""
    for position, (number, rows) in enumerate(invoices().items(), start=1):
        who = customers.get(rows[0]["CustomerID"])
        lines = [
            {"product_id": row["StockCode"], "price": float(row["UnitPrice"]), "quantity": int(row["Quantity"])}
            for row in rows
            if not cleaned or (int(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0)
        ]
        if cleaned and (who is None or number.startswith("C") or not lines):
            continue
        yield {
            "position": position,
            "type": "track",
            "event": "Order Completed",
            "identity_id": who,
            "customer_id": who,
            "occurred_at": datetime.fromisoformat(rows[0]["InvoiceDate"]).replace(tzinfo=UTC),
            "trusted": True,
            "payload": {"properties": {"order_id": number, "currency": "GBP", "products": lines}},
        }


def load(shop: Shopfront, *, cleaned: bool) -> dict[str, UUID]:
    """Everything into the facts, and everybody computed as of the day after the data end."""
    numbers = {row["CustomerID"] for rows in invoices().values() for row in rows if row["CustomerID"]}
    customers = dict(zip(sorted(numbers), shop.crowd(len(numbers)), strict=True))
    shop.console.execute("UPDATE shop SET time_zone = 'Europe/London', currency = 'GBP'")
    shop.clock(AS_OF)
    found = gather(entries(customers, cleaned=cleaned), "GBP", AS_OF)
    facts.add_facts(shop.segmentation, found)
    facts.settle_versions(shop.segmentation, found.order_keys)
    with shop.services.acting("segmentation"):
        recompute.ask(None)
        recompute.run_due()
    return customers


def test_the_cleaned_year_has_the_published_figures(shop: Shopfront) -> None:
    load(shop, cleaned=True)
    tx = shop.segmentation
    assert tx.value("SELECT count(*) FROM order_line") == 397_884
    buyers = tx.value("SELECT count(*) FROM customer_feature WHERE orders > 0")
    assert buyers == 4_338
    spent = tx.value("SELECT sum(net_spend_minor) FROM customer_feature")
    assert spent == pytest.approx(891_140_790, abs=5)  # 8,911,407.904: some unit prices are finer than a penny
    once = tx.value("SELECT count(*) FROM customer_feature WHERE orders = 1")
    assert round(once / buyers, 2) == 0.34
    basis = scores.newest_basis(tx)
    assert basis is not None
    found = Basis.from_json(basis["parameters"])
    assert (found.gaps.at(0.5), found.gaps.at(0.8), found.gaps.at(0.95)) == (28, 70, 155)
    assert found.recency.cuts == (28, 70, 155, 310)
    # A third has one order: five groups of equal size are not to be had, and equal values stay together.
    both = "SELECT orders, rfm_f FROM customer_feature JOIN customer_score USING (customer_id) WHERE orders > 0"
    scored = tx.all(both)
    assert len({(row["orders"], row["rfm_f"]) for row in scored}) == len({row["orders"] for row in scored})
    stages = {row["lifecycle"] for row in insights.groups(tx)}
    assert stages == set(STAGES)


def test_the_whole_year_keeps_guests_and_returns_in_the_totals(shop: Shopfront) -> None:
    customers = load(shop, cleaned=False)
    tx = shop.segmentation
    (money,) = insights.totals(tx, AS_OF)
    assert money["net_minor"] == pytest.approx(974_774_793, abs=200)  # 9,747,747.934, rounded line by line
    lines = tx.value("SELECT count(*) FROM order_line")
    guests = tx.value("SELECT count(*) FROM order_line JOIN purchase USING (position) WHERE customer_id IS NULL")
    assert (lines, round(guests / lines, 3)) == (541_909, 0.249)
    assert tx.value("SELECT count(*) FROM customer_feature") == 4_372
    # Customer 12346 bought for 77,183.60 and cancelled a quarter of an hour later.
    one = features.feature_row(tx, customers["12346.0"])
    assert one is not None
    assert (one["orders"], one["orders_placed"], one["net_spend_minor"], one["rfm_cell"]) == (0, 1, 0, None)
