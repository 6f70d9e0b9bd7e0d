"""One page with the metrics of every process, each with its `role` and `instance`: the one target of Prometheus.

Beside `zhike up` it reads from the data folder where each process listens, and adds what only the supervisor knows.
In containers it asks the name service for the addresses of each role. It keeps nothing between two scrapes.
"""

import json
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from prometheus_client.core import Metric

from deploy import pulse, topology
from deploy.backup.place import BACKUPS
from deploy.home import Home
from deploy.ready import announce_ready
from shared import exporter, metrics, process, telemetry

TIMEOUT_S: Final = 4.0
SERVERS: Final = ("postgres", "valkey", "proxy", "mail")  # what has no page of ours


@dataclass(frozen=True)
class Target:
    """Where one process serves its metrics."""

    role: str
    instance: str
    host: str
    port: int


def run(host: str, port: int, data: Path | None) -> None:
    """Serve the page until SIGTERM. `data`: the folder of `zhike up`; None: containers, found by their names."""
    pulse.start()
    who = process.introduce("metrics")
    telemetry.configure("metrics")
    home = Home(data) if data is not None else None

    def page() -> bytes:
        targets = local_targets(home) if home is not None else named_targets()
        pages = dict(zip(targets, _pool.map(fetch, targets), strict=True))
        own = Target(who.role, who.instance, host, port)
        return merge({**pages, own: metrics.page()})

    if home is not None:
        metrics.add_source("supervisor", lambda: of_the_supervisor(home))
    server = exporter.serve(host, port, page)
    announce_ready()
    server.serve_forever()


_pool: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="scrape")


def local_targets(home: Home) -> list[Target]:
    """The processes that wrote their address into the data folder."""
    found = []
    for path in sorted((home.run / "metrics").glob("*.json")):
        with suppress(OSError, ValueError, KeyError):
            told = json.loads(path.read_text())
            found.append(Target(told["role"], told["instance"], "127.0.0.1", int(told["port"])))
    return found


def named_targets() -> list[Target]:
    """Every container of every role that the name service knows now."""
    found = []
    for role in topology.ROLES:
        if role.kind in ("api", "worker", "beat"):
            with suppress(OSError):
                answers = socket.getaddrinfo(role.name, exporter.PORT, socket.AF_INET, socket.SOCK_STREAM)
                addresses = sorted({str(answer[4][0]) for answer in answers})
                found += [Target(role.name, address, address, exporter.PORT) for address in addresses]
    return found


def fetch(target: Target) -> bytes | None:
    """A process's own page; None where it does not answer."""
    try:
        with urlopen(f"http://{target.host}:{target.port}/metrics", timeout=TIMEOUT_S) as reply:
            page: bytes = reply.read()
            return page
    except (URLError, OSError):
        return None


def merge(pages: dict[Target, bytes | None]) -> bytes:
    """The pages as one: the samples of a metric together, each with the role and the instance it comes from."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for target, page in pages.items():
        told = f'role="{target.role}",instance="{target.instance}"'
        up = f"zhike_role_up{{{told}}} {0 if page is None else 1}"
        samples.setdefault("zhike_role_up", []).append(up)
        for name, head, sample in _lines((page or b"").decode()):
            if head:
                lines = heads.setdefault(name, [])
                if head not in lines and len(lines) < 2:
                    lines.append(head)
            else:
                samples.setdefault(name, []).append(_labelled(sample, told))
    heads["zhike_role_up"] = [
        "# HELP zhike_role_up Whether a process serves its metrics.",
        "# TYPE zhike_role_up gauge",
    ]
    lines = [line for name in sorted(samples) for line in (*heads.get(name, ()), *samples[name])]
    return ("\n".join(lines) + "\n").encode()


def _lines(page: str) -> Iterator[tuple[str, str, str]]:
    """(metric, its comment or "", sample or "") of each line; comments come before the samples of their metric."""
    name = ""
    for line in page.splitlines():
        if line.startswith(("# HELP ", "# TYPE ")):
            name = line.split(" ", 3)[2]
            yield name, line, ""
        elif line and not line.startswith("#"):
            yield name, "", line


def _labelled(sample: str, told: str) -> str:
    head, brace, rest = sample.partition("{")
    if brace and " " not in head:
        return f"{head}{{{told},{rest}" if not rest.startswith("}") else f"{head}{{{told}{rest}"
    head, _, rest = sample.partition(" ")
    return f"{head}{{{told}}} {rest}"


def of_the_supervisor(home: Home) -> Iterable[Metric]:
    """What only the supervisor and the machine know: restarts, the servers' own use, memory, load, disk."""
    state = home.read_state()
    children = [entry for entry in state.get("processes", []) if entry["name"] != "migrate"]
    if children:
        restarts = [(float(entry["restarts"]), {"name": entry["name"]}) for entry in children]
        yield metrics.family("zhike_restarts", "How often a process was started again.", *restarts, counts=True)
    used = [(entry["name"], _usage(entry)) for entry in children if entry["role"] in SERVERS]
    known = [(name, usage) for name, usage in used if usage is not None]
    if known:
        memory = [(float(usage.rss_bytes), {"name": name}) for name, usage in known]
        cpu = [(usage.cpu_seconds, {"name": name}) for name, usage in known]
        yield metrics.family("zhike_server_rss_bytes", "Resident memory of a server beside us.", *memory)
        yield metrics.family("zhike_server_cpu_seconds", "CPU used by a server beside us.", *cpu, counts=True)
    yield from _of_the_machine(home)
    backups = [path.stat().st_mtime for path in (home.path / BACKUPS).glob("*.zip")]
    if backups:
        yield metrics.family("zhike_backup_seconds", "When the last backup was made (Unix time).", (max(backups), {}))


def _usage(entry: dict[str, Any]) -> process.Usage | None:
    with suppress(psutil.Error, TypeError):
        return process.usage(entry["pid"])
    return None


def _of_the_machine(home: Home) -> Iterable[Metric]:
    memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(home.path))
    load = psutil.getloadavg()[0]
    yield metrics.family("zhike_machine_load", "Processes that want a core, over a minute.", (load, {}))
    yield metrics.family("zhike_machine_cores", "Cores.", (float(psutil.cpu_count() or 1), {}))
    yield metrics.family("zhike_machine_memory_bytes", "Memory there is.", (float(memory.total), {}))
    yield metrics.family("zhike_machine_memory_available_bytes", "Memory to be had.", (float(memory.available), {}))
    yield metrics.family("zhike_disk_bytes", "Size of the disk with the data folder.", (float(disk.total), {}))
    yield metrics.family("zhike_disk_free_bytes", "What of it is free.", (float(disk.free), {}))
