"""`make test-fault`: hurt the running platform so many times, and count what came of it."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

from tests.fault import report
from tests.fault.damage import unnoticed
from tests.fault.harness import Run, Wish, run
from tests.fault.strikes import KINDS, QUICK

_LIMIT_S: Final = 900.0
_LIMIT_A_FAULT_S: Final = 60.0
_SHORT: Final[dict[str, Any]] = {"wave_size": 400, "events_per_s": 40.0, "waiting": 150, "hurry": True}


def damaged(ended: Run) -> None:
    """What the count does not notice of all that is forbidden."""
    ended.findings.unnoticed = unnoticed(ended.platform, ended.record)


def main() -> int:
    """0: nothing forbidden happened; 1: something did, or the run could not be finished."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8900, help="first of 14 ports; 0: any that are free")
    parser.add_argument("--kinds", help="only faults whose name contains one of these words, comma separated")
    parser.add_argument("--quick", action="store_true", help="only kinds that are over in seconds, and no waiting")
    parser.add_argument("--first", help="faults by their whole names that come before any other, comma separated")
    parser.add_argument("--limit", type=float, help="seconds after which the run is interrupted")
    parser.add_argument(
        "--damage", action="store_true", help="at the end, see that the count notices what is forbidden"
    )
    parser.add_argument("--out", type=Path, default=report.RESULTS, help="where the findings go, as JSON")
    parser.add_argument("--keep", action="store_true", help="leave the data folder")
    parser.add_argument("--docs", action="store_true", help="put the report into docs/reliability.md")
    asked = parser.parse_args()
    kinds = QUICK if asked.quick else tuple(KINDS)
    if asked.kinds:
        kinds = tuple(name for name in KINDS if any(word in name for word in asked.kinds.split(",")))
    # Commands of ours on loopback never go through a proxy of the machine.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    wish = Wish(
        *(asked.faults, asked.seed, asked.port, kinds),
        first=tuple(asked.first.split(",")) if asked.first else (),
        limit_s=asked.limit or _LIMIT_S + _LIMIT_A_FAULT_S * asked.faults,
        keep=asked.keep,
        **(_SHORT if asked.quick else {}),
    )
    data = report.as_data(run(wish, lambda text: print(text, flush=True), damaged if asked.damage else None))
    report.write(data, asked.out)
    if asked.docs:
        report.paste(data)
    print(report.markdown(data))
    for one in data["checks"]:
        if one["violations"]:
            print(f"\n{one['name']}: {one['violations']}", *one["samples"], sep="\n  ")
    if data["unnoticed"]:
        print("\ndone on purpose, and not noticed by the count:", *data["unnoticed"], sep="\n  ")
    if data["ended_early"]:
        print(f"\nended early: {data['ended_early']}")
    return 0 if data["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
