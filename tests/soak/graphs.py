"""The curves of a soak as SVG."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.soak.samples import MIB, Sample

mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["svg.hashsalt"] = "soak"


def draw(samples: Sequence[Sample], folder: Path) -> list[Path]:
    """soak-memory.svg, soak-lag.svg, soak-latency.svg and soak-tables.svg in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    lag: Callable[[Sample], Mapping[str, float]] = lambda sample: {"intake": sample.intake, **sample.lag}  # noqa: E731
    return [
        _chart(samples, lambda sample: sample.memory, "Private memory by role, MiB", folder / "soak-memory.svg"),
        _chart(samples, lag, "Entries not yet read", folder / "soak-lag.svg"),
        _chart(
            samples,
            lambda sample: {name: value * 1000 for name, value in sample.latency.items()},
            "Time to answer, p95, ms",
            folder / "soak-latency.svg",
        ),
        _chart(
            samples,
            lambda sample: {name: size / MIB for name, size in sample.sizes.items()},
            "Largest tables with their indexes, MiB",
            folder / "soak-tables.svg",
        ),
    ]


def _chart(samples: Sequence[Sample], of: Callable[[Sample], Mapping[str, float]], title: str, path: Path) -> Path:
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=mpl.colormaps["tab20"].colors)  # type: ignore[attr-defined]
    last = of(samples[-1])
    for name in sorted(last, key=lambda key: -last[key]):
        points = [(sample.at_s / 60, of(sample)[name]) for sample in samples if name in of(sample)]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1.4)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("minutes")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Date": None})
    return path
