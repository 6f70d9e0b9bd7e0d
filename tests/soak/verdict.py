"""Whether memory stayed flat and no lag grew. Pure: samples in, findings out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.soak.samples import Sample

# The first third is warm-up: caches fill, pools open, the first model is loaded.
WARM_UP: Final = 1 / 3
# A line through a role's memory after that may rise by so much of its mean until the end, or by so many MiB: what
# allocators and Postgres' caches of plans and catalogues do without any leak.
SHARE: Final = 0.10
MIB: Final = 32.0
# Lag is counted in seconds of load; the mean of the last third may lie so much above that of the second.
LAG_S: Final = 3.0


@dataclass(frozen=True)
class Judged:
    """One thing that was to stay flat. `rise`: over the time after the warm-up; `allowed` in the same unit."""

    what: str
    unit: str
    mean: float
    rise: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether it rose no further than allowed."""
        return self.rise <= self.allowed


def judge(samples: Sequence[Sample], events_per_s: float) -> list[Judged]:
    """Memory of each role, and the lag of the intake and of each reader."""
    warm = [sample for sample in samples if sample.at_s >= samples[-1].at_s * WARM_UP]
    roles = sorted({role for sample in warm for role in sample.memory})
    memory = [_memory(role, warm) for role in roles]
    lags = {"intake": [float(sample.intake) for sample in warm]}
    for reader in warm[0].lag:
        lags[reader] = [float(sample.lag[reader]) for sample in warm]
    return memory + [_lag(name, values, events_per_s) for name, values in lags.items()]


def _memory(role: str, warm: Sequence[Sample]) -> Judged:
    times = np.array([sample.at_s for sample in warm])
    values = np.array([sample.memory.get(role, 0.0) for sample in warm])
    slope = float(np.polyfit(times, values, 1)[0]) if len(warm) > 1 else 0.0
    mean = float(values.mean())
    rise = slope * float(times[-1] - times[0])
    return Judged(f"memory of {role}", "MiB", round(mean, 1), round(rise, 1), round(max(MIB, SHARE * mean), 1))


def _lag(name: str, values: Sequence[float], events_per_s: float) -> Judged:
    half = len(values) // 2
    before, after = float(np.mean(values[:half] or values)), float(np.mean(values[half:]))
    rise = (after - before) / events_per_s
    return Judged(f"lag of {name}", "s", round(after / events_per_s, 2), round(rise, 2), LAG_S)
