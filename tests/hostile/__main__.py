"""`make test-hostile`: a hundred thousand hostile requests at a platform; the counts go into var/hostile.json."""

import argparse
import json
import multiprocessing
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from deploy import topology
from shared import contracts
from tests.hostile.doors import PortDoor
from tests.hostile.spoiling import OWN_KEY
from tests.hostile.storm import Outcome, rage
from tests.journey.platform import ROOT, zhike

OF_EACH: Final = 60  # generated requests of each operation, half of them against its schema; each is spoilt many times
AT_ONCE: Final = 2


@dataclass(frozen=True)
class Share:
    """What one process is to do."""

    service: str
    base_port: int
    key: str
    number: int
    requests: int


def main() -> int:
    """0: nothing that must not be; 1: a fault was found; its request is in var/hostile.json."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8900, help="first of 13 ports")
    parser.add_argument("--data", type=Path, default=ROOT / "var" / "hostile", help="folder of the platform")
    asked = parser.parse_args()
    zhike("up", "--detach", "--data", str(asked.data), "--port", str(asked.port))
    began = time.monotonic()
    try:
        made = zhike("keys", "create", "--kind", "admin", "--name", OWN_KEY, "--data", str(asked.data))
        key = made.strip().splitlines()[0]
        shares = _shares(asked.requests, asked.seed, asked.port, key)
        with multiprocessing.get_context("spawn").Pool(AT_ONCE) as pool:
            outcomes = pool.map(_storm, shares, chunksize=1)
        alive = [requests.get(f"http://127.0.0.1:{asked.port}/v1/segments", timeout=10).status_code == 401]
    finally:
        zhike("stop", "--data", str(asked.data))
    report = _report(outcomes, time.monotonic() - began)
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "hostile.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    print(_table(outcomes), f"\n{report['requests']:,} requests in {report['seconds']} s")
    for fault in report["faults"][:20]:
        print(json.dumps(fault, ensure_ascii=False)[:1000])
    return 0 if not report["faults"] and all(alive) and report["requests"] >= asked.requests else 1


def _shares(total: int, number: int, base_port: int, key: str) -> list[Share]:
    """Each service its part, by how many operations it has."""
    counts = {service: len(list(_operations(_document(service, base_port)))) for service in contracts.SERVICES}
    whole = sum(counts.values())
    return [
        Share(service, base_port, key, number, -(-total * count // whole))
        for service, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]


def _document(service: str, base_port: int) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"http://127.0.0.1:{base_port}/openapi/{service}.json", timeout=30).json()
    return document


def _operations(document: dict[str, Any]) -> list[str]:
    return [f"{way} {path}" for path, ways in document["paths"].items() for way in ways if way != "parameters"]


def _storm(share: Share) -> Outcome:
    """One service's part, half of it through the proxy."""
    doors = [PortDoor(share.base_port), PortDoor(topology.port_of(share.service, share.base_port))]
    document = _document(share.service, share.base_port)
    return rage(
        share.service, document, doors, share.key, number=share.number, requests=share.requests, of_each=OF_EACH // 2
    )


def _report(outcomes: list[Outcome], seconds: float) -> dict[str, Any]:
    return {
        "requests": sum(outcome.requests for outcome in outcomes),
        "seconds": round(seconds, 1),
        "services": {
            outcome.service: {
                "requests": outcome.requests,
                "statuses": {str(status): count for status, count in sorted(outcome.statuses.items())},
                "ways": dict(outcome.ways.most_common()),
                "slowest": outcome.slowest,
            }
            for outcome in outcomes
        },
        "faults": [{"service": outcome.service, **fault} for outcome in outcomes for fault in outcome.faults],
    }


def _table(outcomes: list[Outcome]) -> str:
    """Counts by service and status, for people."""
    statuses = sorted({status for outcome in outcomes for status in outcome.statuses})
    rows = [["service", "requests", *map(str, statuses), "faults", "slowest"]]
    for outcome in outcomes:
        counts = [str(outcome.statuses.get(status, 0)) for status in statuses]
        slowest = f"{outcome.slowest['seconds']} s"
        rows.append([outcome.service, str(outcome.requests), *counts, str(len(outcome.faults)), slowest])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
