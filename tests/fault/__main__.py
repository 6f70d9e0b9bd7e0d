"""`make test-fault`: hurt the running platform so many times, and count what came of it."""

import argparse
import os
import sys

from tests.fault import report
from tests.fault.harness import Wish, run
from tests.fault.strikes import KINDS, QUICK


def main() -> int:
    """0: nothing forbidden happened; 1: something did, or the run could not be finished."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8900, help="first of 13 ports")
    parser.add_argument("--kinds", help="only faults whose name contains one of these words, comma separated")
    parser.add_argument("--quick", action="store_true", help="only kinds that are over in seconds, and no waiting")
    parser.add_argument("--keep", action="store_true", help="leave the data folder")
    parser.add_argument("--docs", action="store_true", help="put the report into docs/reliability.md")
    asked = parser.parse_args()
    kinds = QUICK if asked.quick else tuple(KINDS)
    if asked.kinds:
        kinds = tuple(name for name in KINDS if any(word in name for word in asked.kinds.split(",")))
    # Commands of ours on loopback never go through a proxy of the machine.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    wish = Wish(asked.faults, asked.seed, asked.port, kinds, hurry=asked.quick, keep=asked.keep)
    data = report.as_data(run(wish, lambda text: print(text, flush=True)))
    report.write(data)
    if asked.docs:
        report.paste(data)
    print(report.markdown(data))
    for one in data["checks"]:
        if one["violations"]:
            print(f"\n{one['name']}: {one['violations']}", *one["samples"], sep="\n  ")
    if data["ended_early"]:
        print(f"\nended early: {data['ended_early']}")
    return 0 if data["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
