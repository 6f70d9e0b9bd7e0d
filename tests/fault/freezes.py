"""Faults that stop the clock of a process: SIGSTOP, and SIGCONT later, perhaps too late."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psutil
import psycopg

from tests.fault.field import Field, Frozen, NotPossible, Struck

# Longer than the lease of a message that is handed over (80 s), and than a transaction may idle (20 s).
PAST_THE_LEASE_S: Final = 95.0
PAST_THE_TRANSACTION_S: Final = 40.0
FOR_GOOD_S: Final = 600.0


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


def freeze_for_good(roles: Sequence[str], windows: int = 0, *, every: bool = False) -> Callable[[Field], Struck]:
    """SIGSTOP of one process of these roles (of `every` one), itself or the child that does the work; nobody wakes it.

    The supervisor has to see it and to start another one.
    """

    def strike(field: Field) -> Struck:
        targets = field.platform.targets(roles) if every else [field.pick(roles)]
        if not targets:
            raise NotPossible(f"none of {', '.join(roles)} runs")
        for target in targets:  # one that is frozen already would be woken before it is missed
            field.check_nobody_sleeps(target.role.partition("-")[0])
        chosen = [_itself_or_child(field, field.platform.process(target)) for target in targets]
        field.frozen.append(Frozen(chosen, FOR_GOOD_S))
        names = ", ".join(target.name for target in targets)
        at_risk = windows if any(target.role.startswith("campaign") for target in targets) else 0
        return Struck(f"{names} for good", at_risk or windows * (targets[0].role == "postgres"), chosen)

    return strike


def _itself_or_child(field: Field, process: psutil.Process) -> psutil.Process:
    # PostgreSQL's children are its sessions: one of them frozen holds up one client, and is nobody's end.
    children = [] if process.name() == "postgres" else process.children()
    return field.dice.choice(children) if children and field.dice.random() < 0.5 else process


def freeze_sender_past_its_lease(field: Field) -> Struck:
    """SIGSTOP of a sender in the middle of a window, for longer than its lease; the others go on meanwhile."""
    field.check_nobody_sleeps("campaign")
    with field.sink.holding() as held:
        if not held.wait(10.0):
            raise NotPossible("nobody was handing over")
        process = field.platform.ports_of("campaign-sender").get(field.sink.held_port)
        if process is None:
            raise NotPossible("the sender had gone")
        field.frozen.append(Frozen([process], PAST_THE_LEASE_S, "campaign", unseen=True))
        return Struck(f"pid {process.pid} in a window", 1)


def freeze_in_transaction(schema: str, role: str) -> Callable[[Field], Struck]:
    """SIGSTOP of a worker of this role that holds a transaction open, for longer than one may idle."""

    def strike(field: Field) -> Struck:
        field.check_nobody_sleeps(schema)
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline:
            ends = field.platform.ports_of(role)
            with field.platform.database() as connection:
                caught = _catch(connection, schema, ends, min(deadline, time.monotonic() + 5.0))
            if caught is not None:
                field.frozen.append(caught)
                return Struck(f"{role} in a transaction", 1 if schema == "campaign" else 0)
        raise NotPossible(f"no transaction of {role} could be caught")

    return strike


def _catch(
    connection: psycopg.Connection[Any], schema: str, ends: Mapping[int, psutil.Process], deadline: float
) -> Frozen | None:
    """Stop somebody who has written in a transaction that is still open, and see that it has stayed open."""
    while time.monotonic() < deadline:
        for (port,) in connection.execute(_WRITING, {"schema": schema}).fetchall():
            if port not in ends:
                continue
            frozen = Frozen([ends[port]], PAST_THE_TRANSACTION_S, schema, unseen=True)
            time.sleep(1.0)  # what it had asked for is answered by now; what stays is the open transaction
            if (port,) in connection.execute(_IDLE, {"schema": schema}).fetchall():
                return frozen
            frozen.thaw()
        time.sleep(0.01)
    return None


_WRITING: Final = """
    SELECT client_port FROM pg_stat_activity
    WHERE application_name = 'zhike-' || %(schema)s AND backend_xid IS NOT NULL
"""
_IDLE: Final = """
    SELECT client_port FROM pg_stat_activity
    WHERE application_name = 'zhike-' || %(schema)s AND backend_xid IS NOT NULL AND state = 'idle in transaction'
"""
