"""The faults by name: each a way to hurt the running platform from outside."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import psutil
import redis

from tests.fault import sink as moods
from tests.fault.field import Field, NotPossible, Struck
from tests.fault.freezes import freeze, freeze_for_good, freeze_in_transaction, freeze_sender_past_its_lease
from tests.fault.hanging import hang_loop, stop_consuming
from tests.fault.interruptions import kill_computation, kill_trainer_at_work, second_beat

SENDERS: Final = ("campaign-sender",)
APPENDERS: Final = ("profile-appender",)
WORKERS: Final = ("-worker", "-batch", "-trainer", "-preparer")
READERS: Final = ("segmentation-worker", "recommend-worker", "campaign-worker")
_MOST_HANDING_OVER: Final = 4  # connections: two senders with two children each


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
        process = field.platform.ports_of("campaign-sender").get(field.sink.held_port)
        if process is None:
            raise NotPossible("the sender had gone")
        process.kill()
        return Struck(f"pid {process.pid} in a window", 1)


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
    "freeze the appender in a transaction": freeze_in_transaction("profile", "profile-appender"),
    "freeze a reader in a transaction": freeze_in_transaction("segmentation", "segmentation-worker"),
    "freeze a sender in a transaction": freeze_in_transaction("campaign", "campaign-sender"),
    "freeze every appender for good": freeze_for_good(APPENDERS, every=True),
    "freeze a worker for good": freeze_for_good((*WORKERS, *SENDERS), 4),
    "hang a worker's loop for good": hang_loop((*WORKERS, *APPENDERS, *SENDERS), windows=4),
    "hang the beat's loop for good": hang_loop(("beat",)),
    "a reader consumes nothing for good": stop_consuming(READERS),
    "freeze an API for good": freeze_for_good(("-api",)),
    "freeze the beat for good": freeze_for_good(("beat",)),
    "freeze the proxy for good": freeze_for_good(("proxy",)),
    "freeze Valkey for good": freeze_for_good(("valkey",)),
    "freeze PostgreSQL for good": freeze_for_good(("postgres",), _MOST_HANDING_OVER),
    "kill the trainer at work": kill_trainer_at_work,
    "kill a full computation": kill_computation,
    "a second beat": second_beat,
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
    if not name.endswith(("for good", "in a transaction"))
    and name not in ("freeze a sender past its lease", "mail server hangs", "fill the disk", "mail server answers 4xx")
)
