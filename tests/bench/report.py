"""What a benchmark found: figures, the table people read and the file that machines read."""

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parents[2] / "var" / "bench.json"


@dataclass(frozen=True)
class Figure:
    """One measured path. `ratio` is our rate over the ceiling's; both are None where the path has no ceiling."""

    name: str
    value: float
    unit: str
    ceiling: float | None
    ratio: float | None
    conditions: str


def figure(name: str, unit: str, ours: Sequence[float], ceiling: Sequence[float], conditions: str) -> Figure:
    """The medians of interleaved rounds, both given as rates (things a second)."""
    value, limit = statistics.median(ours), statistics.median(ceiling)
    spread = f"{len(ours)} rounds each in turns, ours {min(ours):,.4g} to {max(ours):,.4g}"
    return Figure(name, _rounded(value), unit, _rounded(limit), round(value / limit, 3), f"{conditions}; {spread}")


def interleaved(
    rounds: int, ours: Callable[[int], float], ceiling: Callable[[int], float]
) -> tuple[list[float], list[float]]:
    """Measure both in turns, the first one changing, so that a machine that slows down slows both."""
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        order = ((0, ours), (1, ceiling)) if number % 2 == 0 else ((1, ceiling), (0, ours))
        for side, measure in order:
            found[side].append(measure(number))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def write(figures: Sequence[Figure], path: Path = RESULTS) -> None:
    """Put the figures into the results file; those of paths that were not run this time stay."""
    kept = json.loads(path.read_text()) if path.exists() else []
    fresh = {found.name for found in figures}
    rows = [row for row in kept if row["name"] not in fresh] + [asdict(found) for found in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table("path", "ours", "ceiling", "ratio", "unit", "conditions", title="Hot paths beside their ceilings")
    for found in figures:
        limit = "-" if found.ceiling is None else f"{found.ceiling:,.6g}"
        ratio = "-" if found.ratio is None else f"{found.ratio:.2f}"
        table.add_row(found.name, f"{found.value:,.6g}", limit, ratio, found.unit, found.conditions)
    Console(width=150).print(table)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
