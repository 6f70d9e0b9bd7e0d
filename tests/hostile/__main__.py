"""`make test-hostile`: a hundred thousand hostile requests at a platform; the counts go into var/hostile.json."""

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any, Final

import requests

from shared import contracts
from tests.hostile.shares import Share, carry_out, document_of
from tests.hostile.spoiling import OWN_KEY
from tests.hostile.storm import Outcome, together
from tests.journey.platform import ROOT, zhike

PARTS: Final = 3  # of each service: each with a seed of its own, so that the same seed is the same storm
AT_ONCE: Final = 8  # most of the time is waiting for an answer


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
            outcomes = together(pool.map(carry_out, shares, chunksize=1))
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
    counts = {service: len(list(_operations(document_of(service, base_port)))) for service in contracts.SERVICES}
    whole = sum(counts.values())
    return [
        Share(service, base_port, key, 1000 * number + part, -(-total * count // (whole * PARTS)))
        for part in range(PARTS)
        for service, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]


def _operations(document: dict[str, Any]) -> list[str]:
    return [f"{way} {path}" for path, ways in document["paths"].items() for way in ways if way != "parameters"]


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
