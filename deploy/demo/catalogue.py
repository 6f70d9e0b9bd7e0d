"""The catalogue: every product of the data, with the price its buyers were asked before the cut."""

from collections.abc import Iterator
from typing import Final

import orjson
import polars as pl

from deploy.demo.dataset import CURRENCY, Dataset

ITEMS_PER_REQUEST: Final = 5000
SHOP_SITE: Final = "https://shop.example"  # reserved by RFC 2606; nobody is ever sent there
# What a shop would not put into a letter: petrol, paper coupons, phone credit, deposits, tobacco, what has no group.
_NOT_FOR_LETTERS: Final = (
    *("Fuel", "Coupon", "Coupon/Misc Items", "Coupons/Store & Mfg", "Long Distance Calling Cards", "Tickets"),
    *("Bottle Deposits", "Charitable Cont", "Misc Sales Tran", "Miscellaneous"),
    *("Cigarettes", "Cigars", "Tobacco Other"),
)


def bodies(data: Dataset) -> Iterator[tuple[bytes, int]]:
    """Request bodies for PUT /v1/items and how many items each carries."""
    for chunk in items(data).iter_slices(ITEMS_PER_REQUEST):
        yield orjson.dumps({"items": chunk.to_dicts()}), chunk.height


def items(data: Dataset) -> pl.DataFrame:
    """One row an item, as the API takes it; those nobody bought before the cut have no price."""
    return (
        data.products.join(_asked(data), on="product_id", how="left")
        .sort("product_id")
        .select(
            item_id=pl.col("product_id").cast(pl.String),
            name="name",
            category="category",
            brand="brand",
            price=pl.col("price_minor") / 100,
            currency=pl.when(pl.col("price_minor").is_not_null()).then(pl.lit(CURRENCY)),
            available=~pl.col("category").is_in(_NOT_FOR_LETTERS),
            url=pl.format(SHOP_SITE + "/products/{}", "product_id"),
        )
    )


def _asked(data: Dataset) -> pl.DataFrame:
    """product_id, price_minor: the median regular price of one piece, the shop's discounts put back."""
    regular = (pl.col("total_minor") + pl.col("discount_minor")) / pl.col("quantity")
    return (
        data.lines.filter(pl.col("at") < data.cut, pl.col("quantity") > 0)
        .group_by("product_id")
        .agg(price_minor=regular.median().round().cast(pl.Int64))
        .filter(pl.col("price_minor") > 0)
    )
