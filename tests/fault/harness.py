"""One run: the platform under events and campaigns, one fault after another, the count at the end."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from deploy.topology import MAIL_PORT  # the sink takes the mail catcher's place
from tests.fault.counting import READERS, Check, Count, check
from tests.fault.disk import Disk
from tests.fault.field import Field, NotPossible, Struck
from tests.fault.healing import HEALS_WITHIN_S, Healing, Physician, canary
from tests.fault.installation import Installation
from tests.fault.mailing import Mailing, database_answers
from tests.fault.record import Record
from tests.fault.shopper import Collector, Shopper
from tests.fault.sink import Sink
from tests.fault.strikes import KINDS

_SETTLES_WITHIN_S: Final = 420.0
_SECONDS_A_FAULT: Final = 90.0


@dataclass(frozen=True)
class Wish:
    """What is to be run. `hurry`: at the end, let leases of dead senders run out at once instead of waiting for it."""

    faults: int
    seed: int
    base_port: int
    kinds: Sequence[str] = tuple(KINDS)
    wave_size: int = 1500
    events_per_s: float = 60.0
    pace_s: float = 0.12
    waiting: int = 600
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

    @property
    def passed(self) -> bool:
        """Nothing forbidden happened."""
        return self.ended_early is None and not any(one.violations for one in self.checks)


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
        self.sink = Sink(wish.base_port + MAIL_PORT, self.record, wish.pace_s)
        self.platform = Installation(disk.folder / "data", wish.base_port, wish.base_port + MAIL_PORT)
        self.field = Field(self.platform, self.sink, disk, random.Random(f"field {wish.seed}"))
        self.findings = Findings(wish)
        self._shoppers: list[Shopper] = []

    def carry_out(self, afterwards: Callable[["Run"], None] | None = None) -> Findings:
        """Start, strike, settle, count. The platform and all threads have ended when this returns.

        `afterwards` is called after the count, while the platform still runs.
        """
        with ExitStack() as ending:
            ending.callback(self.record.close)
            self.sink.start()
            ending.callback(self.sink.stop)
            ending.callback(self._end_platform)
            self._say(f"platform ready after {self.platform.start():.1f} s in {self.platform.home.path}")
            self._prepare()
            ending.callback(self.field.thaw_all)
            ending.callback(self._stop_shoppers)
            self._strike_all()
            self._stop_shoppers()
            self._settle()
            self._count()
            if afterwards is not None:
                afterwards(self)
        return self.findings

    def _prepare(self) -> None:
        key, admin = self.platform.key("server"), self.platform.key("admin")
        collector = Collector(self.platform.url, key, self.record)
        self.mailing = Mailing(self.platform, self.record, collector, admin, self._wish.wave_size)
        self.mailing.prepare()
        self.mailing.top_up(self._wish.waiting)
        self.physician = Physician(self.platform, self.record, collector, self.mailing)
        people = [f"buyer-{number}" for number in range(400)]
        for name in ("a", "b"):
            own = Collector(self.platform.url, key, self.record)
            shopper = Shopper(own, f"{self._wish.seed}-{name}", people, self._wish.events_per_s / 2)
            self._shoppers.append(shopper)
            shopper.start()

    def _strike_all(self) -> None:
        kinds = deck(self._wish.kinds, self._wish.seed)
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
        healing = self.physician.examine(canary(self._dice), head)
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

    def _settle(self) -> None:
        """Let everything that is under way come to its end. What has not by then is counted as it is."""
        for one in self.field.frozen:
            while not self._wish.hurry and one.until > time.monotonic():
                time.sleep(1.0)
        self.field.thaw_all()
        began = time.monotonic()
        while time.monotonic() - began < _SETTLES_WITHIN_S:
            if database_answers(self.platform):
                if self._is_settled():
                    break
                # Nobody is connected: every lease that still runs is that of a dead sender.
                self.mailing.bring_forward(leases=self._wish.hurry and self.sink.connections == 0)
            time.sleep(1.0)
        self.findings.load["settled_s"] = round(time.monotonic() - began, 1)

    def _is_settled(self) -> bool:
        platform = self.platform
        head = platform.value("SELECT coalesce(max(position), 0) FROM profile.event_log")
        waiting = platform.value("SELECT count(*) FROM profile.intake")
        untold = platform.value("SELECT count(*) FROM campaign.outcome WHERE published_at IS NULL")
        behind = [reader for reader in READERS if self.physician.cursor(reader) != head]
        return not (waiting or untold or behind or self.mailing.open_rows())

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
        self.findings.checks = [*count.all(at_risk), check("fault not healed within 30 s", len(made), late)]
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
        self.field.thaw_all()
        self.field.disk.empty()
        self.platform.stop()


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
        return Run(wish, folder, disk, say).carry_out(afterwards)
    finally:
        if wish.keep:
            say(f"kept: {folder}")
        else:
            disk.unmount()
            shutil.rmtree(folder, ignore_errors=True)
