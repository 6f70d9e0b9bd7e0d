"""`python -m tests.bench [NAME …]`, or `make bench ONLY=collect`: measure, print, write var/bench.json."""

import os
import sys
from collections.abc import Callable

import click

from tests.bench import collect, fitting, freshness, recommend, recommend_memory, report, segments, send
from tests.bench.report import Figure

MEASURES: dict[str, Callable[[], list[Figure]]] = {
    "collect": collect.collect,
    "collect_resolved": collect.collect_resolved,
    "recommend_10k": recommend.recommend_10k,
    "recommend_100k": recommend.recommend_100k,
    "recommend_1m": recommend.recommend_1m,
    "recommend_slot": recommend.recommend_slot,
    "recommend_memory": recommend_memory.recommend_memory,
    "recommend_batch": recommend.recommend_batch,
    "als_fit": fitting.als_fit,
    "freshness": freshness.freshness,
    "segment_saved": segments.segment_saved,
    "send": send.send,
}


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Measure the hot paths NAMES (or those in ONLY; all where none are named) beside their ceilings."""
    chosen = names or tuple(os.environ.get("ONLY", "").replace(",", " ").split()) or tuple(MEASURES)
    if unknown := set(chosen) - MEASURES.keys():
        raise click.ClickException(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    found: list[Figure] = []
    for name in chosen:
        click.echo(f"{name} …", err=True)
        found += MEASURES[name]()
        report.write(found)
    report.show(found)


if __name__ == "__main__":
    sys.exit(main())
