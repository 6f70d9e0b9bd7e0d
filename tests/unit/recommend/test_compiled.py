"""Compiled loops take what a model's mapped files give, and nothing of another type."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import int64

from services.recommend.domain.compiled import FLOATS, compiled


@compiled(FLOATS, int64)
def _sum_from(values: np.ndarray, first: int) -> float:
    total = 0.0
    for value in values[first:]:
        total += value
    return total


def test_arrays_that_nobody_may_write_are_read() -> None:
    values = np.arange(5, dtype=np.float32)
    values.flags.writeable = False
    assert _sum_from(values, 3) == 7
    assert _sum_from(values[::2], 1) == 6


def test_values_of_another_type_are_refused_rather_than_compiled_for() -> None:
    with pytest.raises(TypeError, match="No matching definition"):
        _sum_from(np.arange(5, dtype=np.float64), 3)


def test_where_nothing_can_be_kept_on_disk_it_still_computes() -> None:
    """A read-only image without a home: the loops are compiled for the process alone."""
    source = (
        "import numpy as np\n"
        "from services.recommend.domain.ranking import highest\n"
        "print(highest(np.array([1, 3, 2], dtype=np.float32)))\n"
    )
    nowhere = os.environ | {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    nowhere.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-c", source]
    found = subprocess.run(command, env=nowhere, capture_output=True, text=True, timeout=120, check=True)
    assert found.stdout.strip() == "3.0"
