"""One run: the platform under events and campaigns, one fault after another, the count at the end."""

import random
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from deploy.topology import MAIL_PORT  # the sink takes the mail catcher's place
from tests.fault.computed import computed
from tests.fault.counting import Check, Count, check
from tests.fault.deadline import at_the_latest, within
from tests.fault.disk import Disk
from tests.fault.field import Field, NotPossible, Struck
from tests.fault.healing import HEALS_WITHIN_S, Healing, Physician, canary
from tests.fault.installation import Installation, free_block
from tests.fault.mailing import Mailing, database_answers
from tests.fault.record import Record
from tests.fault.settling import publish_model, settle
from tests.fault.shopper import Collector, Shopper
from tests.fault.sink import Sink
from tests.fault.strikes import KINDS

_SECONDS_A_FAULT: Final = 90.0
_PATIENCE_S: Final = 120.0
_FREE_FROM: Final = 28_500
_ORDERS_FOR_A_MODEL: Final = 100


@dataclass(frozen=True)
class Wish:
    """What is to be run. `base_port` 0: any that is free. `first`: kinds that are struck before any is drawn.

    `limit_s`: after so long the run is interrupted, wherever it is. `hurry`: at the end, let leases of the dead run
    out at once instead of waiting for it.
    """

    faults: int
    seed: int
    base_port: int
    kinds: Sequence[str] = tuple(KINDS)
    wave_size: int = 1500
    events_per_s: float = 60.0
    pace_s: float = 0.12
    waiting: int = 600
    first: Sequence[str] = ()
    limit_s: float = 3600.0
    hurry: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Fault:
    """One fault and how the platform took it. `skipped`: why it was not made."""

    number: int
    kind: str
    target: str
    at: float
    struck_s: float
    windows: int
    healing: Healing | None
    skipped: str | None = None

    @property
    def healed_in_time(self) -> bool:
        """Whether everything worked again within the time allowed."""
        return self.healing is None or (self.healing.total is not None and self.healing.total <= HEALS_WITHIN_S)


@dataclass
class Findings:
    """What a run found."""

    wish: Wish
    faults: list[Fault] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    load: dict[str, Any] = field(default_factory=dict)
    ended_early: str | None = None
    unnoticed: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Nothing forbidden happened, and the count saw whatever was done to test it."""
        return self.ended_early is None and not self.unnoticed and not any(one.violations for one in self.checks)


def deck(kinds: Sequence[str], seed: int) -> Iterator[str]:
    """The kinds in an order given by the seed, each once before any comes again."""
    dice = random.Random(f"deck {seed}")
    while True:
        yield from dice.sample(list(kinds), len(kinds))


class Run:
    """The parts of one run, and the order in which they act."""

    def __init__(self, wish: Wish, folder: Path, disk: Disk, say: Callable[[str], None]) -> None:
        self._wish, self._say = wish, say
        self._dice = random.Random(f"run {wish.seed}")
        self.record = Record(folder / "record.sqlite")
        base_port, self._reservation = free_block(wish.base_port or _FREE_FROM)
        if wish.base_port not in (0, base_port):
            raise RuntimeError(f"the ports from {wish.base_port} on are taken")
        self.sink = Sink(base_port + MAIL_PORT, self.record, wish.pace_s)
        self.platform = Installation(disk.folder / "data", base_port, base_port + MAIL_PORT)
        self.field = Field(self.platform, self.sink, disk, random.Random(f"field {wish.seed}"))
        self.findings = Findings(wish)
        self._shoppers: list[Shopper] = []

    def carry_out(self, afterwards: Callable[["Run"], None] | None = None) -> Findings:
        """Start, strike, settle, count. The platform and all threads have ended when this returns.

        `afterwards` is called after the count, while the platform still runs.
        """
        with ExitStack() as ending:
            ending.callback(self.record.close)
            ending.callback(self._end_platform)
            try:
                with within(self._wish.limit_s):
                    self._act(ending)
                    if afterwards is not None:
                        afterwards(self)
            except Exception as error:  # noqa: BLE001  # whatever it was is the verdict; what was found so far is told
                self.findings.ended_early = f"{type(error).__name__}: {error}"
                self._say(traceback.format_exc())
        return self.findings

    def _act(self, ending: ExitStack) -> None:
        # The supervisor first: a process with threads, such as the sink's, had better not fork.
        self._say(f"platform ready after {self.platform.start():.1f} s in {self.platform.home.path}")
        self._reservation.close()
        ending.callback(self.sink.stop)
        self.sink.start()
        ending.callback(self.field.thaw_all)
        ending.callback(self._stop_shoppers)
        self._prepare()
        self._strike_all()
        self._stop_shoppers()
        settle(self, hurry=self._wish.hurry)
        self._count()

    def _prepare(self) -> None:
        key = self.platform.key("server")
        collector = Collector(self.platform.url, key, self.record)
        self.mailing = Mailing(self.platform, self.record, collector, self._wish.wave_size)
        self.mailing.prepare()
        self.mailing.top_up(self._wish.waiting)
        self.physician = Physician(self.platform, self.record, collector, self.mailing)
        people = [f"buyer-{number}" for number in range(400)]
        for name in ("a", "b"):
            own = Collector(self.platform.url, key, self.record)
            shopper = Shopper(own, f"{self._wish.seed}-{name}", people, self._wish.events_per_s / 2)
            self._shoppers.append(shopper)
            shopper.start()
        deadline = time.monotonic() + _PATIENCE_S
        while self.record.value("SELECT count(order_id) FROM event WHERE acknowledged_at > 0") < _ORDERS_FOR_A_MODEL:
            if time.monotonic() > deadline:
                raise RuntimeError("the shoppers' orders are not acknowledged")
            time.sleep(0.2)
        publish_model(self.platform)

    def _strike_all(self) -> None:
        kinds = chain(self._wish.first, deck(self._wish.kinds, self._wish.seed))
        deadline = time.monotonic() + self._wish.faults * _SECONDS_A_FAULT + 300
        number = 0
        while number < self._wish.faults:
            fault = self._strike(number, next(kinds))
            self.findings.faults.append(fault)
            self._say(_line(fault))
            number += fault.skipped is None
            if not self.platform.is_supervised():
                self.findings.ended_early = "the supervisor itself has ended"
                return
            if time.monotonic() > deadline or (fault.healing and fault.healing.total is None):
                self.findings.ended_early = f"not healed: {fault.healing.why}" if fault.healing else "out of time"
                return
            skipped = [one for one in self.findings.faults if one.skipped]
            if len(skipped) > self._wish.faults + len(self._wish.kinds):
                self.findings.ended_early = "too many faults could not be made"
                return

    def _strike(self, number: int, kind: str) -> Fault:
        self._between_faults()
        head = self.physician.log_head()
        began = time.monotonic()
        at = time.time()
        try:
            struck: Struck = KINDS[kind](self.field)
        except (NotPossible, psutil.NoSuchProcess, psycopg.Error) as error:
            return Fault(number, kind, "", at, 0.0, 0, None, skipped=f"{type(error).__name__}: {error}")
        lasted = time.monotonic() - began
        healing = self.physician.examine(canary(self._dice), head, struck.frozen)
        return Fault(number, kind, struck.target, at, round(lasted, 2), struck.windows, healing)

    def _between_faults(self) -> None:
        """Keep enough mail waiting, and strike at another moment of the work each time."""
        self.mailing.top_up(self._wish.waiting)
        for shopper in self._shoppers:
            if shopper.failure is not None:
                raise RuntimeError("a shopper has ended") from shopper.failure
        time.sleep(self._dice.uniform(0.2, 1.5))

    def _stop_shoppers(self) -> None:
        for shopper in self._shoppers:
            shopper.stop()
        for shopper in self._shoppers:
            shopper.join(60)

    def _count(self) -> None:
        if not database_answers(self.platform):
            self.findings.ended_early = self.findings.ended_early or "the database does not answer at the end"
            return
        count = Count(self.platform, self.record)
        made = [fault for fault in self.findings.faults if fault.skipped is None]
        late = [
            f"{fault.kind}: {fault.healing and fault.healing.seconds}" for fault in made if not fault.healed_in_time
        ]
        at_risk = sum(fault.windows for fault in made)
        self.findings.checks = [
            *count.all(at_risk),
            *computed(self.platform),
            check("fault not healed within 30 s", len(made), late),
        ]
        self.findings.load |= {
            "events acknowledged": self.record.value("SELECT count(*) FROM event WHERE acknowledged_at > 0"),
            "orders": self.record.value("SELECT count(order_id) FROM event"),
            "campaigns": self.record.value("SELECT count(*) FROM campaign"),
            "messages at the mail server": self.record.value("SELECT count(*) FROM mail"),
            "of these never answered": self.record.value("SELECT count(*) FROM mail WHERE NOT answered"),
            "hand-overs the faults can have interrupted": at_risk,
            "uncertain": count.uncertain_facts(),
            "recipients": count.states(),
            "restarts": {
                entry["name"]: entry["restarts"]
                for entry in self.platform.home.read_state()["processes"]
                if entry["restarts"]
            },
        }

    def _end_platform(self) -> None:
        self._reservation.close()
        self.field.thaw_all()
        self.field.disk.empty()
        if not self.platform.stop():
            self.findings.ended_early = self.findings.ended_early or "the platform did not stop when asked"


def _line(fault: Fault) -> str:
    if fault.healing is None:
        return f"{fault.number:4}  {fault.kind:<38} not made: {fault.skipped}"
    total = fault.healing.total
    slowest = max(((s or 1e9, name) for name, s in fault.healing.seconds.items()), default=(0.0, ""))
    healed = f"healed in {total:5.1f} s ({slowest[1]})" if total is not None else f"NOT healed: {fault.healing.why}"
    return f"{fault.number:4}  {fault.kind:<38} {fault.target:<34} {healed}"


def run(wish: Wish, say: Callable[[str], None] = print, afterwards: Callable[[Run], None] | None = None) -> Findings:
    """Carry a wish out in a new folder that is removed afterwards, unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="zhike-fault-"))
    folder.chmod(0o755)  # PostgreSQL runs under another account when we are root
    disk = Disk(folder / "disk")
    disk.mount()
    try:
        with at_the_latest(wish.limit_s):
            return Run(wish, folder, disk, say).carry_out(afterwards)
    finally:
        if wish.keep:
            say(f"kept: {folder}")
        else:
            disk.unmount()
            shutil.rmtree(folder, ignore_errors=True)
