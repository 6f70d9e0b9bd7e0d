"""`zhike evaluate recommend`: the models of recommend on any data of who took what."""

import time
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich.console import Console
from rich.table import Table

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN: Final = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "hr@10", "coverage@10", "novelty@10")


@click.command()
@click.option("--train", type=_FILE, help="LightGCN's text format: `user item item …` a line.")
@click.option("--test", type=_FILE, help="The same, held out.")
@click.option("--ratings", type=_FILE, help="A CSV of one row an interaction; the last of each user is held out.")
@click.option("--user", default="user", show_default=True, help="Column of --ratings.")
@click.option("--item", default="item", show_default=True, help="Column of --ratings.")
@click.option("--time", "time_", default="time", show_default=True, help="Column of --ratings: numbers or dates.")
@click.option("--value", help="Column of --ratings; with --least, rows below are left out.")
@click.option("--least", type=float, help="The least --value that counts.")
@click.option("--baskets", type=_FILE, help="JSON, {user: [[item, …], …]}; the last basket is held out.")
@click.option("--repeats", is_flag=True, help="With --baskets: rank all items, also those bought before.")
@click.option(
    "--sample", type=click.IntRange(1), default=2000, show_default=True, help="Tune on so many users; all are measured."
)
@click.option(
    "--seconds", type=click.FloatRange(10), default=180, show_default=True, help="Processor time that tuning may take."
)
@click.option("--json", "as_json", is_flag=True, help="Figures as JSON.")
def recommend(  # noqa: PLR0913, PLR0917  # click gives them by name
    train: Path | None,
    test: Path | None,
    ratings: Path | None,
    user: str,
    item: str,
    time_: str,
    value: str | None,
    least: float | None,
    baskets: Path | None,
    repeats: bool,
    sample: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Tune every model on a part of train, blend them, and measure all against what is held out.

    All items are ranked that the user does not have (with --repeats: all). Name one kind of data: --train and --test,
    --ratings, or --baskets.
    """
    from deploy.evaluate import interactions
    from services.recommend.domain import contest

    if [train is not None and test is not None, ratings is not None, baskets is not None].count(True) != 1:
        raise click.UsageError("name one kind of data: --train and --test, --ratings, or --baskets")
    if repeats and baskets is None:
        raise click.UsageError("--repeats goes with --baskets")
    started = time.monotonic()
    try:
        if baskets is not None:
            data = interactions.baskets(baskets, repeats=repeats)
        elif ratings is not None:
            data = interactions.ratings(ratings, user, item, time_, value, least)
        else:
            assert train is not None  # noqa: S101  # as counted above
            assert test is not None  # noqa: S101
            data = interactions.lightgcn(train, test)
        past, trial = contest.trial_of(data.log, data.test, repeats=repeats, sample=sample)
        limit = contest.Limit(seconds, time.process_time)
        result = contest.run(data.log, past, {"": trial}, limit)[""]
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    log = data.log
    document = {
        "data": {
            "users": log.person_count,
            "items": log.item_count,
            "lines": len(log),
            "ordered": log.ordered,
            "unread": data.unread,
        },
        "repeats": repeats,
        **contest.as_document(result),
        "seconds": round(time.monotonic() - started, 1),
    }
    if as_json:
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(document)


def _show(document: dict[str, Any]) -> None:
    data = document["data"]
    table = Table("model", *_SHOWN, title="Recommendations against what was held out, with 95 % intervals")
    for name, figures in document["models"].items():
        cells = [
            f"{figures[shown]:.4f}" + (f" ± {figures[f'{shown}_±']:.4f}" if f"{shown}_±" in figures else "")
            for shown in _SHOWN
        ]
        table.add_row(name, *cells)
    console = Console(width=170)
    console.print(table)
    blend = " + ".join(f"{weight:g} × {name}" for name, weight in document["blend"].items())
    console.print(
        f"{data['users']:,} users, {data['items']:,} items, {data['lines']:,} lines in train; {document['people']:,} "
        f"users asked; blend by {document['blended_by']}: {blend}; {document['seconds']} s"
    )
    if data["unread"]:
        console.print(f"{data['unread']:,} rows have no user, item or time that can be read, and are left out")
    if document["left_out"]:
        console.print(f"left out, tuning had taken as long as it may (--seconds): {', '.join(document['left_out'])}")
    for name, chosen in document["chosen"].items():
        settings = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in chosen.items()
        )
        console.print(f"  {name}: {', '.join(settings)}")
