"""The faults: each a way to hurt the running platform from outside, and what of it was hit."""

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psutil
import redis

from tests.fault import sink as moods
from tests.fault.disk import Disk
from tests.fault.installation import Installation, Target
from tests.fault.sink import Sink

# Longer than the lease of a message (180 s), and than a transaction may idle (20 s).
PAST_THE_LEASE_S: Final = 190.0
PAST_THE_TRANSACTION_S: Final = 40.0
SENDERS: Final = ("campaign-sender",)
APPENDERS: Final = ("profile-appender",)
WORKERS: Final = ("-worker", "-batch", "-trainer")
_MOST_HANDING_OVER: Final = 4  # connections: two senders with two children each


class NotPossible(Exception):
    """This fault cannot be made here, or not now; the text says why."""


@dataclass(frozen=True)
class Struck:
    """What was hit, and how many hand-over windows may have been interrupted by that."""

    target: str
    windows: int = 0


@dataclass
class Field:
    """All that can be struck, and the dice."""

    platform: Installation
    sink: Sink
    disk: Disk
    dice: random.Random
    frozen: list["Frozen"] = field(default_factory=list)

    def pick(self, roles: Sequence[str]) -> Target:
        """One running process of these roles. Raises NotPossible."""
        found = self.platform.targets(roles)
        if not found:
            raise NotPossible(f"none of {', '.join(roles)} runs")
        return self.dice.choice(found)

    def child_of(self, target: Target) -> psutil.Process:
        """One of the processes that do the target's work."""
        children = self.platform.process(target).children()
        if not children:
            raise NotPossible(f"{target.name} has no children")
        return self.dice.choice(children)

    def check_nobody_sleeps(self, schema: str) -> None:
        """Somebody of the service must be left. Raises NotPossible."""
        if any(one.until > time.monotonic() and one.of == schema for one in self.frozen):
            raise NotPossible("another one is still frozen")

    def thaw_all(self) -> None:
        """Wake whatever sleeps."""
        for one in self.frozen:
            one.thaw()
        self.frozen.clear()


class Frozen:
    """Processes of the service `of`, stopped in the middle of what they did, woken after a time or when asked."""

    def __init__(self, processes: Sequence[psutil.Process], seconds: float, of: str = "") -> None:
        self._processes, self.of = list(processes), of
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        self.until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._wake)
        self._timer.daemon = True
        self._timer.start()

    def thaw(self) -> None:
        """Wake them now."""
        self._timer.cancel()
        self._wake()

    def _wake(self) -> None:
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def kill(roles: Sequence[str], windows: int = 0) -> Callable[[Field], Struck]:
    """kill -9 of one process of these roles, as the supervisor started it."""

    def strike(field: Field) -> Struck:
        target = field.pick(roles)
        field.platform.process(target).kill()
        return Struck(target.name, windows if target.role.startswith("campaign") else 0)

    return strike


def kill_child(roles: Sequence[str], windows: int = 0) -> Callable[[Field], Struck]:
    """kill -9 of a child that does the work, its parent living on."""

    def strike(field: Field) -> Struck:
        target = field.pick(roles)
        field.child_of(target).kill()
        return Struck(f"{target.name} (child)", windows)

    return strike


def kill_sender_in_hand_over(field: Field) -> Struck:
    """kill -9 of a sender that has handed a message over and waits for the answer."""
    with field.sink.holding() as held:
        if not held.wait(10.0):
            raise NotPossible("nobody was handing over")
        process = field.platform.owner_of_port(field.sink.held_port)
        if process is None:
            raise NotPossible("the sender had gone")
        process.kill()
        return Struck(f"pid {process.pid} in a window", 1)


def freeze(roles: Sequence[str], shortest_s: float, longest_s: float) -> Callable[[Field], Struck]:
    """SIGSTOP of a process and its children for some seconds."""

    def strike(field: Field) -> Struck:
        target = field.pick(roles)
        process = field.platform.process(target)
        seconds = field.dice.uniform(shortest_s, longest_s)
        frozen = Frozen([process, *process.children(recursive=True)], seconds)
        try:
            time.sleep(seconds)
        finally:
            frozen.thaw()
        return Struck(f"{target.name} for {seconds:.0f} s")

    return strike


def freeze_sender_past_its_lease(field: Field) -> Struck:
    """SIGSTOP of a sender in the middle of a window, for longer than its lease; the others go on meanwhile."""
    field.check_nobody_sleeps("campaign")
    with field.sink.holding() as held:
        if not held.wait(10.0):
            raise NotPossible("nobody was handing over")
        process = field.platform.owner_of_port(field.sink.held_port)
        if process is None:
            raise NotPossible("the sender had gone")
        field.frozen.append(Frozen([process], PAST_THE_LEASE_S, "campaign"))
        return Struck(f"pid {process.pid} in a window", 1)


def freeze_in_transaction(schema: str) -> Callable[[Field], Struck]:
    """SIGSTOP of a process of this service that holds a transaction open, for longer than one may idle."""

    def strike(field: Field) -> Struck:
        field.check_nobody_sleeps(schema)
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            process = _in_transaction(field.platform, schema)
            if process is None:
                continue
            frozen = Frozen([process], PAST_THE_TRANSACTION_S, schema)
            time.sleep(0.3)  # what it had asked for is answered now; what stays is the open transaction
            if _in_transaction(field.platform, schema, process) is not None:
                field.frozen.append(frozen)
                return Struck(f"pid {process.pid} in a transaction of {schema}", 1 if schema == "campaign" else 0)
            frozen.thaw()
        raise NotPossible(f"no transaction of {schema} could be caught")

    return strike


def _in_transaction(
    platform: Installation, schema: str, held_by: psutil.Process | None = None
) -> psutil.Process | None:
    rows = platform.rows(
        """
        SELECT client_port FROM pg_stat_activity
        WHERE application_name = 'zhike-' || %(schema)s AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
          AND (backend_xid IS NOT NULL OR NOT %(idle)s) AND (state = 'idle in transaction' OR NOT %(idle)s)
        """,
        {"schema": schema, "idle": held_by is not None},
    )
    for (port,) in rows:
        process = platform.owner_of_port(port)
        if process is None or (held_by is not None and process != held_by):
            continue
        if "worker" in " ".join(process.cmdline()):
            return process
    return None


def flush_valkey(field: Field) -> Struck:
    """FLUSHALL: every nudge, every key that folds or counts, the beat's lease."""
    with suppress(redis.RedisError):
        field.platform.valkey().flushall()
    return Struck("valkey")


def kill_backend(field: Field) -> Struck:
    """kill -9 of one backend: PostgreSQL ends all its connections and recovers."""
    (target,) = field.platform.targets(("postgres",))
    pids = [pid for (pid,) in field.platform.rows("SELECT pid FROM pg_stat_activity WHERE client_port IS NOT NULL")]
    process = psutil.Process(field.dice.choice(pids))
    if target.pid in [parent.pid for parent in process.parents()]:
        process.kill()
    return Struck("a backend", _MOST_HANDING_OVER)


def crash_postgres(sig: signal.Signals) -> Callable[[Field], Struck]:
    """SIGKILL of the postmaster, or SIGQUIT (its immediate shutdown)."""

    def strike(field: Field) -> Struck:
        target = field.pick(("postgres",))
        field.platform.process(target).send_signal(sig)
        return Struck(target.name, _MOST_HANDING_OVER)

    return strike


def fill_disk(field: Field) -> Struck:
    """No byte is left in the data folder for some seconds."""
    if field.disk.refusal is not None:
        raise NotPossible(field.disk.refusal)
    seconds = field.dice.uniform(4.0, 10.0)
    crashes = field.platform.restarts("postgres")
    field.disk.fill()
    try:
        time.sleep(seconds)
    finally:
        field.disk.empty()
    crashes = field.platform.restarts("postgres") - crashes
    # Each batch that is claimed meanwhile can be interrupted, one a connection every two seconds.
    return Struck(f"{seconds:.0f} s, postgres crashed {crashes} times", _MOST_HANDING_OVER * (1 + int(seconds / 2)))


def mail_hangs(field: Field) -> Struck:
    """The mail server says nothing for a while, in some cases longer than senders wait for a reply."""
    seconds = field.dice.choice([3.0, 8.0, 25.0])
    with field.sink.hanging():
        windows = field.sink.connections
        time.sleep(seconds)
    return Struck(f"for {seconds:.0f} s", windows)


def mail_is_gone(field: Field) -> Struck:
    """The mail server breaks all connections and refuses new ones for a while."""
    seconds = field.dice.uniform(2.0, 8.0)
    windows = field.sink.connections
    field.sink.close()
    try:
        time.sleep(seconds)
    finally:
        field.sink.open()
    return Struck(f"for {seconds:.0f} s", windows)


def mail(mood: str, most: int) -> Callable[[Field], Struck]:
    """The next messages meet a mood of the mail server."""

    def strike(field: Field) -> Struck:
        count, before = field.dice.randint(1, most), field.sink.struck
        field.sink.behave(mood, count)
        deadline = time.monotonic() + 8.0
        while field.sink.struck - before < count and time.monotonic() < deadline:
            time.sleep(0.05)
        field.sink.behave(moods.GOOD, 0)
        hit = field.sink.struck - before
        return Struck(f"{hit} messages", hit if mood in (moods.CUT, moods.DIE) else 0)

    return strike


KINDS: Final[dict[str, Callable[[Field], Struck]]] = {
    "kill an API": kill(("-api",)),
    "kill an API's child": kill_child(("-api",)),
    "kill a worker": kill(WORKERS, windows=2),
    "kill a worker's child": kill_child(("profile-worker", "segmentation-worker", "recommend-worker")),
    "kill the appender": kill(APPENDERS),
    "kill the appender's child": kill_child(APPENDERS),
    "kill a sender": kill(SENDERS, windows=2),
    "kill a sender in a hand-over": kill_sender_in_hand_over,
    "kill the beat": kill(("beat",)),
    "kill the proxy": kill(("proxy",)),
    "freeze an API": freeze(("-api",), 2, 8),
    "freeze a worker": freeze((*WORKERS, *APPENDERS), 2, 8),
    "freeze a sender past its lease": freeze_sender_past_its_lease,
    "freeze the appender in a transaction": freeze_in_transaction("profile"),
    "freeze a reader in a transaction": freeze_in_transaction("segmentation"),
    "freeze a campaign worker in a transaction": freeze_in_transaction("campaign"),
    "FLUSHALL": flush_valkey,
    "kill Valkey": kill(("valkey",)),
    "freeze Valkey": freeze(("valkey",), 2, 8),
    "kill -9 PostgreSQL": crash_postgres(signal.SIGKILL),
    "stop PostgreSQL at once": crash_postgres(signal.SIGQUIT),
    "kill a PostgreSQL backend": kill_backend,
    "fill the disk": fill_disk,
    "mail server hangs": mail_hangs,
    "mail server is gone": mail_is_gone,
    "mail server cuts": mail(moods.CUT, 3),
    "mail server accepts and dies": mail(moods.DIE, 3),
    "mail server answers 4xx": mail(moods.LATER, 10),
    "mail server answers 5xx": mail(moods.NEVER, 10),
}
# Those that are over within a few seconds, for the short form.
QUICK: Final = tuple(
    name
    for name in KINDS
    if name
    not in (
        *("freeze a sender past its lease", "freeze the appender in a transaction", "freeze a reader in a transaction"),
        *("freeze a campaign worker in a transaction", "mail server hangs", "fill the disk", "mail server answers 4xx"),
    )
)
