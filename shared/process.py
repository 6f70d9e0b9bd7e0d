"""Who this process is (role, instance, version), and what it and its children use of the machine."""

import os
import socket
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Final

import psutil

ROLE_VARIABLE: Final = "ZHIKE_ROLE"
INSTANCE_VARIABLE: Final = "ZHIKE_INSTANCE"


@dataclass(frozen=True)
class Identity:
    """One process of a role. `instance` tells it from the others of its role; `root_pid` heads its process tree."""

    role: str
    instance: str
    host: str
    root_pid: int
    version: str
    started_at: float


@dataclass(frozen=True)
class Usage:
    """What a process tree uses. `cpu_seconds` has the children in it that have ended."""

    rss_bytes: int
    cpu_seconds: float
    threads: int
    open_files: int
    processes: int


_known: dict[str, Identity] = {}


def introduce(role: str, root_pid: int | None = None) -> Identity:
    """Say once, at the start, which role this process has. Its supervisor may have given it other names."""
    role = os.environ.get(ROLE_VARIABLE) or role
    host = socket.gethostname()
    instance = os.environ.get(INSTANCE_VARIABLE) or f"{role}@{host}"
    _known["self"] = Identity(role, instance, host, root_pid or os.getpid(), version(), time.time())
    return _known["self"]


def identity() -> Identity | None:
    """What introduce() was told; None in a process that has no role (a test, the command line)."""
    return _known.get("self")


@cache
def version() -> str:
    """The version of Zhike that runs here."""
    with suppress(PackageNotFoundError):
        return installed_version("zhike")
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    with suppress(OSError, KeyError, tomllib.TOMLDecodeError):
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return "unknown"


def usage(root_pid: int) -> Usage:
    """What the process `root_pid` and its descendants use now. Raises psutil.Error where there is no such process."""
    root = psutil.Process(root_pid)
    rss, cpu, threads, files, count = 0, 0.0, 0, 0, 0
    for process in (root, *_descendants(root)):
        with suppress(psutil.Error), process.oneshot():  # it may end while we look
            times = process.cpu_times()
            rss += process.memory_info().rss
            ended = times.children_user + times.children_system if hasattr(times, "children_user") else 0.0
            cpu += times.user + times.system + ended
            threads += process.num_threads()
            files += process.num_fds()
            count += 1
    return Usage(rss, cpu, threads, files, count)


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    """Children, theirs and so on. Linux names them; without that every process of the machine would be looked at."""
    if not Path(f"/proc/{root.pid}/task/{root.pid}/children").exists():
        return root.children(recursive=True)
    found: list[psutil.Process] = []
    waiting = [root.pid]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with suppress(OSError, psutil.Error):
                pids = [int(pid) for pid in path.read_text().split()]
                found += [psutil.Process(pid) for pid in pids]
                waiting += pids
    return found
