"""`make bench-accuracy`: the models of recommend on two real shops' years, the last four weeks held out.

Two questions over the same past: what is in each customer's first basket after the cut (everything may come again), and
what that they had never bought do they buy in the four weeks. Every item is ranked, for every customer. All is tuned
the same way four weeks earlier: nothing after the cut is seen. The Online Retail file (UCI 352) is read where it lies:
ONLINE_RETAIL names it, or ../shared/data; without it that part is left out.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from deploy.demo import dataset
from services.recommend.domain import contest
from services.recommend.domain.challengers.log import Keys, Log
from services.recommend.domain.questions import Question, figures_of, summary
from tests.bench import served
from tests.bench.report import RESULTS

SHOWN: Final = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "hr@10", "coverage@10", "novelty@10")
HELD_OUT: Final = timedelta(weeks=4)
TUNING_S: Final = 300.0  # of processor time for each shop; what comes after takes about as long again
EARLIER: Final = 2  # times more, each four weeks earlier than the one before, that a learned blend learns from
NEXT_BASKET, NOT_YET_BOUGHT = "next basket", "not yet bought"
_RETAIL: Final = Path(
    os.environ.get("ONLINE_RETAIL", Path(__file__).parents[3] / "shared/data/online_retail/online_retail.csv.gz")
)
_COMPARED: Final = {
    NEXT_BASKET: (("frequency", "recall@10"), ("frequency", "ndcg@10")),
    NOT_YET_BOUGHT: (("popular", "recall@20"), ("recently popular", "recall@20")),
}


def complete_journey() -> tuple[pl.DataFrame, datetime, pl.DataFrame]:
    """A grocer's lines: person, item, basket, at; where the last four weeks begin; the catalogue's groups."""
    data = dataset.load(datetime.now(UTC))
    lines = data.lines.filter(pl.col("quantity") > 0)
    kinds = data.products.select(
        *("category", "name", "department", "brand"),
        item="product_id",
        type=pl.col("name").str.split(",").list.first(),  # the name goes on with the size
        make=pl.concat_str("category", "brand"),
    )
    return lines.select(person="household_id", item="product_id", basket="basket_id", at="at"), data.cut, kinds


def online_retail() -> tuple[pl.DataFrame, datetime, pl.DataFrame]:
    """A gift shop's lines: known customers, products (their codes begin with digits), nothing that was called off."""
    lines = (
        pl.read_csv(_RETAIL, infer_schema=False)
        .filter(
            pl.col("CustomerID").is_not_null(),
            pl.col("StockCode").str.contains(r"^\d{5}"),
            ~pl.col("InvoiceNo").str.starts_with("C"),
            pl.col("Quantity").cast(pl.Int64) > 0,
        )
        .select(person="CustomerID", item="StockCode", basket="InvoiceNo", at=pl.col("InvoiceDate").str.to_datetime())
    )
    last: datetime = lines["at"].max()  # type: ignore[assignment]
    cut = datetime(last.year, last.month, last.day) + timedelta(days=1) - HELD_OUT  # noqa: DTZ001  # as the file
    return lines, cut, lines.select("item").unique()  # it says nothing of what an item is


def numbered(lines: pl.DataFrame) -> pl.DataFrame:
    """People and items as numbers from 0, each item once a basket, in order of person and time."""
    return (
        lines.with_columns(pl.col("person", "item").rank("dense").cast(pl.Int64) - 1)
        .unique(["person", "basket", "item"])
        .sort("person", "at", "basket", "item")
    )


def grouped(lines: pl.DataFrame, kinds: pl.DataFrame) -> dict[str, Keys]:
    """For each column of `kinds` but the item the number of each item's group, in the order of numbered()."""
    items = lines.select("item").unique().sort("item").join(kinds, on="item", how="left", maintain_order="left")
    return {
        name: items[name].fill_null("").rank("dense").cast(pl.Int64).to_numpy() - 1
        for name in kinds.columns
        if name != "item"
    }


def split(lines: pl.DataFrame, cut: datetime, groups: Mapping[str, Keys]) -> tuple[Log, Question, Question]:
    """Of numbered lines: the past as visits; the first baskets in the four weeks from `cut`; what is new to each."""
    shape = int(lines["person"].max()) + 1, int(lines["item"].max()) + 1  # type: ignore[arg-type, operator]
    past, future = lines.filter(pl.col("at") < cut), lines.filter(pl.col("at").is_between(cut, cut + HELD_OUT))
    days = (cut - past["at"]).dt.total_seconds().to_numpy() / 86_400
    past = past.with_columns(visit=pl.col("at").rank("dense").over("person").cast(pl.Int64) - 1)
    columns = (past[name].to_numpy() for name in ("person", "item", "visit"))
    log = Log(*columns, *shape, days=days, groups=groups)
    future = future.filter(pl.col("person").is_in(past["person"].unique().implode()))
    first = future.filter(pl.col("at") == pl.col("at").min().over("person"))
    bought = future["person"].to_numpy(), future["item"].to_numpy()
    next_basket = Question.of(first["person"].to_numpy(), first["item"].to_numpy())
    return log, next_basket, contest.unknown(log, *bought, repeats=False)


def measure(lines: pl.DataFrame, cut: datetime, kinds: pl.DataFrame) -> dict[str, Any]:
    """Both questions of one shop."""
    began, worked = time.monotonic(), time.process_time()
    groups = grouped(lines, kinds)
    described = served.described_of(lines["item"].unique().sort(), kinds)
    lines = numbered(lines)
    log, *asked = split(lines, cut, groups)
    past, *before = split(lines, cut - HELD_OUT, groups)
    earlier, *questions = zip(
        *(split(lines, cut - HELD_OUT * (2 + times), groups) for times in range(EARLIER)), strict=True
    )
    trials = {
        name: contest.Trial(held_out, test, repeats, taught)
        for name, repeats, held_out, test, taught in zip(
            (NEXT_BASKET, NOT_YET_BOUGHT), (True, False), before, asked, questions, strict=True
        )
    }
    results = contest.run(log, past, trials, contest.Limit(TUNING_S, time.process_time), earlier)
    found = {name: contest.as_document(result) for name, result in results.items()}
    service = served.Service.of(log, described, cut)
    for name, result in results.items():
        trial = trials[name]
        tops = {**result.tops, served.SERVED: service.tops(trial.test.people, repeats=trial.repeats)}
        found[name]["models"][served.SERVED] = summary(tops[served.SERVED], trial.test, log)
        found[name]["gains"] = {
            f"{ours}, {what}": gain
            for ours in ("blend", served.SERVED)
            for what, gain in gains(tops, ours, trial.test, _COMPARED[name]).items()
        }
    return {
        "people": log.person_count,
        "items": log.item_count,
        "lines": len(log),
        **found,
        "seconds": round(time.monotonic() - began, 1),
        "processor_seconds": round(time.process_time() - worked, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def gains(tops: Mapping[str, Keys], name: str, test: Question, compared: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """What a model has over a baseline: the ratio of means, with its 95 % interval by the delta method."""
    found = {}
    for base, figure in compared:
        if base not in tops:
            continue
        ours, theirs = (figures_of(tops[one], test)[figure] for one in (name, base))
        ratio = ours.mean() / theirs.mean()
        error = (ours - ratio * theirs).std() / np.sqrt(len(ours)) / theirs.mean()
        found[f"{figure} over {base}"] = {"ratio": round(float(ratio), 4), "±": round(float(1.96 * error), 4)}
    return found


def as_markdown(title: str, shop: Mapping[str, Any]) -> str:
    """The tables of one shop."""
    size = f"{shop['people']:,} people, {shop['items']:,} items, {shop['lines']:,} lines"
    cost = f"{shop['seconds']} s ({shop['processor_seconds']} s of processor), {shop['peak_mib']:,} MiB at most"
    text = [f"### {title}: {size}; {cost}"]
    for name in (NEXT_BASKET, NOT_YET_BOUGHT):
        found = shop[name]
        text += [f"\n{name.capitalize()}, {found['people']:,} people:\n", f"| model | {' | '.join(SHOWN)} |"]
        text.append("|---" * (len(SHOWN) + 1) + "|")
        for model, figures in found["models"].items():
            cells = (_cell(figures, shown) for shown in SHOWN)
            text.append(f"| {model} | {' | '.join(cells)} |")
        text.append(f"\nblend by {found['blended_by']}: {blended(found['blend'])}")
        text += [f"left out for want of time: {', '.join(found['left_out'])}"] if found["left_out"] else []
        text += [f"{what}: × {gain['ratio']:.3f} ± {gain['±']:.3f}" for what, gain in found["gains"].items()]
    return "\n".join(text) + "\n"


def blended(weights: Mapping[str, float]) -> str:
    """The blend as a sum."""
    return " + ".join(f"{weight:g} × {model}" for model, weight in weights.items())


def _cell(figures: Mapping[str, float], shown: str) -> str:
    around = figures.get(f"{shown}_±")
    return f"{figures[shown]:.4f}" + ("" if around is None else f" ± {around:.4f}")


def main() -> None:
    """Measure, print, and write var/accuracy.json."""
    shops: dict[str, Callable[[], tuple[pl.DataFrame, datetime, pl.DataFrame]]] = {"Complete Journey": complete_journey}
    if _RETAIL.exists():
        shops["Online Retail"] = online_retail
    else:
        print(f"Online Retail is left out: {_RETAIL} is not there; ONLINE_RETAIL names another place")
    document = {}
    for title, load in shops.items():
        document[title] = measure(*load())
        print(as_markdown(title, document[title]), flush=True)
    path = RESULTS.with_name("accuracy.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
