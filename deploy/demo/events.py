"""The data as Segment messages: one identify a household, one Order Completed a basket, ready-made as JSON.

A million and a half order lines: the text is put together by polars, column by column, not line by line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl

from deploy.demo.dataset import CURRENCY, Dataset
from deploy.demo.people import person

BATCH_BYTES: Final = 4 * 1024 * 1024 - 4096  # the collector takes 4 MiB from a server key
_TIME: Final = "%Y-%m-%dT%H:%M:%S%.3fZ"
_DEMOGRAPHICS: Final = {
    "age": "age_band",
    "income": "income_band",
    "home_ownership": "home_ownership",
    "marital_status": "marital_status",
    "household_size": "household_size",
    "household_comp": "household_composition",
    "kids_count": "kids_count",
}


@dataclass(frozen=True)
class Batch:
    """One request body of the collector and the number of messages in it."""

    body: bytes
    messages: int


def orders(data: Dataset) -> pl.DataFrame:
    """All Order Completed messages, oldest first: columns at, message (JSON text)."""
    lines = data.lines.join(_product_texts(data.products), on="product_id", how="left", maintain_order="left")
    line = pl.format(
        '{{"product_id":"{}"{},"quantity":{},"total":{}{}{}}}',
        "product_id",
        pl.col("text").fill_null(""),  # 17 products are bought but not in the catalogue
        "quantity",
        _major("total_minor"),
        pl.when(pl.col("discount_minor") > 0)
        .then(pl.format(',"discount":{}', _major("discount_minor")))
        .otherwise(pl.lit("")),
        pl.when("coupon").then(pl.lit(',"coupon":"manufacturer"')).otherwise(pl.lit("")),
    )
    baskets = lines.group_by("basket_id", maintain_order=True).agg(
        pl.col("household_id", "store_id", "at").first(),
        total_minor=pl.col("total_minor").sum(),
        products=line.str.join(","),
    )
    message = pl.format(
        '{{"type":"track","event":"Order Completed","messageId":"journey-order-{}","userId":"{}","timestamp":"{}",'
        '"properties":{{"order_id":"{}","currency":"{}","total":{},"affiliation":"Store {}","products":[{}]}}}}',
        "basket_id",
        "household_id",
        pl.col("at").dt.strftime(_TIME),
        "basket_id",
        pl.lit(CURRENCY),
        _major("total_minor"),
        "store_id",
        "products",
    )
    return baskets.select("at", message=message)


def identifies(data: Dataset) -> pl.DataFrame:
    """One identify a household, a minute before its first basket: columns at, message (JSON text)."""
    rows = [(row["first_at"] - timedelta(minutes=1), _identify(row)) for row in data.households.iter_rows(named=True)]
    return pl.DataFrame(rows, schema={"at": pl.Datetime("ms", "UTC"), "message": pl.String}, orient="row")


def between(messages: pl.DataFrame, start: datetime | None, end: datetime | None) -> list[str]:
    """The messages of start <= at < end, in order of time."""
    kept = messages
    if start is not None:
        kept = kept.filter(pl.col("at") >= start)
    if end is not None:
        kept = kept.filter(pl.col("at") < end)
    return kept.sort("at", maintain_order=True)["message"].to_list()


def batches(messages: Iterable[str], limit: int = BATCH_BYTES) -> Iterator[Batch]:
    """Request bodies of as many messages as fit into `limit` bytes, in order."""
    held: list[bytes] = []
    size = 0
    for text in messages:
        encoded = text.encode()
        if held and size + len(encoded) + 1 > limit:
            yield _batch(held)
            held, size = [], 0
        held.append(encoded)
        size += len(encoded) + 1
    if held:
        yield _batch(held)


def _batch(messages: list[bytes]) -> Batch:
    return Batch(b'{"batch":[' + b",".join(messages) + b"]}", len(messages))


def _product_texts(products: pl.DataFrame) -> pl.DataFrame:
    texts = [
        "," + orjson.dumps({"name": name, "category": category}).decode()[1:-1]
        for name, category in products.select("name", "category").iter_rows()
    ]
    return products.select("product_id", text=pl.Series(texts, dtype=pl.String))


def _where(condition: pl.Expr, text: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(text).otherwise(pl.lit(""))


def _major(minor: str) -> pl.Expr:
    return pl.format("{}.{}", pl.col(minor) // 100, (pl.col(minor) % 100).cast(pl.String).str.zfill(2))


def _identify(row: dict[str, Any]) -> str:
    who = person(row["household_id"])
    known = {name: row[column] for column, name in _DEMOGRAPHICS.items() if row[column] is not None}
    at = row["first_at"] - timedelta(minutes=1)
    return orjson.dumps(
        {
            "type": "identify",
            "messageId": f"journey-household-{who.household}",
            "userId": str(who.household),
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "traits": {"name": who.name, "email": who.email, **known},
            "context": {"locale": who.locale, "timezone": who.time_zone},
        }
    ).decode()
