"""What makes a role visible: its name, its counts over all children, its page of metrics and its heartbeat."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil

_PREFIX: Final = "zhike-metrics-"


def count_over_children() -> None:
    """Have this process and all its children count in files of a fresh folder.

    To be called before anything imports prometheus_client. The files are mapped into memory, so they lie where a full
    disk cannot kill who writes them.
    """
    memory = Path("/dev/shm")  # noqa: S108
    parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    _clear(parent)
    folder = parent / f"{_PREFIX}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    atexit.register(_remove, folder, os.getpid())


def show(redis_url: str, kind: str, about: Callable[[], dict[str, Any]] = dict) -> None:
    """Begin to serve the metrics of this role's process and to say that it lives; after that, nothing may fork here.

    (A worker's parent forks all the same, to replace a child; its threads hold no lock that a child would need.)
    """
    from shared import exporter, heartbeat

    exporter.start()
    heartbeat.start(redis_url, lambda: {"kind": kind, **about()})


def _clear(parent: Path) -> None:
    """Remove the folders of processes that were killed."""
    for left in parent.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX)
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
