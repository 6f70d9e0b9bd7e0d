"""`make soak`: the running platform at half of what it can do, for as long as asked; does anything grow?"""

import argparse
import json
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.topology import MAIL_PORT
from tests.bench import machine
from tests.bench.load import Target
from tests.fault.deadline import within
from tests.fault.installation import Installation, free_block
from tests.fault.mailing import Mailing
from tests.fault.record import Record
from tests.fault.settling import publish_model
from tests.fault.shopper import Collector
from tests.fault.sink import Sink
from tests.soak import graphs, load
from tests.soak.samples import Sample, behind, take
from tests.soak.verdict import Judged, judge

ROOT: Final = Path(__file__).resolve().parents[2]
SHARE: Final = 0.5
ORDERS_PER_S: Final = 2.0
_WAVE: Final = 120
_MAIL_EVERY_S: Final = 20.0
_SAMPLES: Final = 60
_OVERHEAD_S: Final = 900.0


@dataclass(frozen=True)
class Soak:
    """What a run was and what was seen in it."""

    minutes: float
    measured: float
    load: float
    mails: int
    samples: list[Sample]
    ended_early: str = ""


def main() -> int:
    """0: memory is flat and no lag grows; 1: something does."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=8900, help="first of 13 ports")
    parser.add_argument("--out", type=Path, default=ROOT / "var", help="folder of soak.json and the graphs")
    parser.add_argument("--docs", action="store_true", help="put the graphs into docs/pictures")
    asked = parser.parse_args()
    # Commands of ours on loopback never go through a proxy of the machine.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    folder = Path(tempfile.mkdtemp(prefix="zhike-soak-"))
    try:
        with within(asked.minutes * 60 + _OVERHEAD_S):
            soak = _run(asked.minutes, asked.port, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = judge(soak.samples, soak.load)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "soak.json").write_text(json.dumps(_as_data(soak, found), indent=1) + "\n")
    graphs.draw(soak.samples, ROOT / "docs" / "pictures" if asked.docs else asked.out)
    _show(soak, found)
    return 0 if all(one.passed for one in found) and not soak.ended_early else 1


def _run(minutes: float, port: int, folder: Path) -> Soak:
    with ExitStack() as ending:
        record = Record(folder / "record.sqlite")
        ending.callback(record.close)
        base_port, reservation = free_block(port)
        platform = Installation(folder / "data", base_port, base_port + MAIL_PORT)
        ending.callback(platform.stop)
        print(f"platform ready after {platform.start():.1f} s", flush=True)
        reservation.close()
        sink = Sink(base_port + MAIL_PORT, record, 0.0)
        ending.callback(sink.stop)
        sink.start()
        return _soak(platform, record, minutes, ending)


def _soak(platform: Installation, record: Record, minutes: float, ending: ExitStack) -> Soak:
    key = platform.key("server")
    events = Target(platform.url + "/v1/batch", key)
    mailing = Mailing(platform, record, Collector(platform.url, key, record), _WAVE)
    mailing.prepare()
    measured = load.measured_rate(events, lambda: _caught_up(platform), load.VISITORS)
    rate = measured * SHARE
    print(f"{measured:,.0f} events/s to the last reader; the load is {rate:,.0f}", flush=True)
    buyers = load.buyers(events, ORDERS_PER_S)
    publish_model(platform)
    workers = {
        "events": load.shoppers(events, rate),
        "orders": [buyers],
        "recommendations": [load.asker(Target(platform.url + "/v1/recommendations", key))],
        "campaigns": [load.marketer(mailing, _MAIL_EVERY_S)],
    }
    for worker in (one for group in workers.values() for one in group):
        ending.callback(worker.stop)
        worker.start()
    began, samples, ended_early = time.monotonic(), [], ""
    while time.monotonic() - began < minutes * 60 and not ended_early:
        time.sleep(minutes * 60 / _SAMPLES)
        seconds = {name: [one for worker in group for one in worker.taken()] for name, group in workers.items()}
        seconds.pop("campaigns")  # a campaign is waited for: no answer's time
        samples.append(take(platform, began, seconds))
        print(_line(samples[-1]), flush=True)
        ended_early = "; ".join(one.failure for group in workers.values() for one in group if one.failure)
    mails = record.value("SELECT count(*) FROM mail")
    return Soak(minutes, round(measured), round(rate), mails, samples, ended_early)


def _caught_up(platform: Installation) -> bool:
    intake, lag = behind(platform)
    return intake == 0 and not any(lag.values())


def _line(sample: Sample) -> str:
    lag = ", ".join(f"{reader} {entries:,}" for reader, entries in sample.lag.items())
    p95 = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in sample.latency.items())
    memory = sum(sample.memory.values())
    return f"{sample.at_s / 60:6.1f} min  {memory:7,.0f} MiB  intake {sample.intake:,}, behind: {lag}  p95: {p95}"


def _as_data(soak: Soak, found: list[Judged]) -> dict[str, Any]:
    return {
        "passed": all(one.passed for one in found) and not soak.ended_early,
        "machine": machine.described(),
        **asdict(soak),
        "judged": [{**asdict(one), "passed": one.passed} for one in found],
    }


def _show(soak: Soak, found: list[Judged]) -> None:
    print(f"\n{soak.minutes:g} minutes at {soak.load:,} events/s, half of {soak.measured:,}; {soak.mails:,} mails")
    if soak.ended_early:
        print(f"ended early: {soak.ended_early}")
    print("after the first third (warm-up):")
    for one in found:
        mark = "ok  " if one.passed else "GROWS"
        print(f"  {mark} {one.what}: mean {one.mean:,} {one.unit}, rise {one.rise:+,} (at most {one.allowed:,})")


if __name__ == "__main__":
    raise SystemExit(main())
