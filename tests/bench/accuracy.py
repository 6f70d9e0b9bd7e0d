"""`make bench-accuracy`: the models of recommend on a real shop's year, the last four weeks held out.

Two questions over the same past: what is in each customer's first basket after the cut (everything may come again), and
what that they had never bought do they buy in the four weeks. Every item is ranked. Nothing after the cut is seen.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from deploy.demo import dataset
from services.recommend.domain import contest
from services.recommend.domain.challengers.log import Log
from tests.bench.report import RESULTS

SHOWN = ("recall@10", "recall@20", "ndcg@10", "hr@10", "coverage@10", "novelty@10")


def split(data: dataset.Dataset) -> tuple[Log, contest.Question, contest.Question]:
    """The past as visits; the first baskets after the cut; and what is new to each customer after it."""
    lines = data.lines.filter(pl.col("quantity") > 0).select(
        person=pl.col("household_id").rank("dense").cast(pl.Int64) - 1,
        item=pl.col("product_id").cast(pl.String).rank("dense").cast(pl.Int64) - 1,
        basket="basket_id",
        at="at",
    )
    items = int(lines["item"].max()) + 1  # type: ignore[arg-type, operator]
    people = int(lines["person"].max()) + 1  # type: ignore[arg-type, operator]
    lines = lines.unique(["person", "basket", "item"], maintain_order=True).sort("person", "at", "basket")
    past, future = lines.filter(pl.col("at") < data.cut), lines.filter(pl.col("at") >= data.cut)
    past = past.with_columns(visit=pl.col("at").rank("dense").over("person").cast(pl.Int64) - 1)
    days = (data.cut - past["at"]).dt.total_seconds().to_numpy() / 86_400
    numbers = past["person"].to_numpy(), past["item"].to_numpy(), past["visit"].to_numpy()
    log = Log(*numbers, people, items, days=days)
    known = np.unique(numbers[0] * items + numbers[1])
    future = future.filter(pl.col("person").is_in(past["person"].unique().implode()))
    first = future.filter(pl.col("at") == pl.col("at").min().over("person"))
    everything = np.unique(future["person"].to_numpy() * items + future["item"].to_numpy())
    fresh = np.setdiff1d(everything, known)
    next_basket = contest.question_of(first["person"].to_numpy(), first["item"].to_numpy())
    return log, next_basket, contest.question_of(fresh // items, fresh % items)


def main() -> None:
    """Measure, print, and write var/accuracy.json."""
    log, next_basket, new_items = split(dataset.load(datetime.now(UTC)))
    found: dict[str, Any] = {}
    for name, question, repeats in (("next basket", next_basket, True), ("items not yet bought", new_items, False)):
        result = contest.run(log, question, repeats=repeats)
        found[name] = contest.as_document(result)
        _show(name, found[name])
    path = RESULTS.with_name("accuracy.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"complete_journey": found}, indent=1, ensure_ascii=False) + "\n")


def _show(name: str, found: dict[str, Any]) -> None:
    title = f"Complete Journey, last four weeks held out: {name}, {found['people']:,} people"
    table = Table("model", *SHOWN, title=title)
    for model, figures in found["models"].items():
        table.add_row(model, *(f"{figures[shown]:.4f}" for shown in SHOWN))
    console = Console(width=120)
    console.print(table)
    console.print(" + ".join(f"{weight:g} × {model}" for model, weight in found["blend"].items()))


if __name__ == "__main__":
    sys.exit(main())
