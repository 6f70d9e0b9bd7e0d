"""Child processes that never outlive the process that started them.

A child gets its parent-death signal from the kernel (Linux), so that even `kill -9` of the supervisor leaves
nothing behind, and a process group of its own, so that a Ctrl-C in the terminal reaches only the supervisor,
which then stops everything in the right order.
"""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """An operating-system account a server runs under when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """One process to start: what to run, as whom, and how to end it kindly."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stdin: bytes | None = None


def unprivileged_account(data: Path | None = None) -> Account | None:
    """The account for servers that refuse to run as root; None when we are not root.

    Whoever owns existing `data` goes on with them. A new account must have a passwd entry, because initdb looks its
    own name up. No account is ever created.
    """
    if os.geteuid() != 0:
        return None
    if data is not None and data.exists() and (status := data.stat()).st_uid != 0:
        return Account(str(status.st_uid), status.st_uid, status.st_gid)
    others = sorted(
        (entry for entry in pwd.getpwall() if entry.pw_uid != 0), key=lambda entry: entry.pw_name != "nobody"
    )
    if not others:
        raise RuntimeError("PostgreSQL refuses to run as root and this system has no other account")
    entry = others[0]
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def spawn(command: Command, output: int | IO[bytes], inherits: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start a command with stdout and stderr going to `output`; it also gets the descriptors it `inherits`."""
    process = subprocess.Popen(
        list(command.argv),
        stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(command.env),
        cwd=command.cwd,
        process_group=0,
        pass_fds=tuple(inherits),
        preexec_fn=_die_with(os.getpid(), command.stop_signal),  # noqa: PLW1509  # only system calls in there
        **as_account(command.account),
    )
    if command.stdin is not None and process.stdin is not None:
        process.stdin.write(command.stdin)
        process.stdin.close()
    return process


class AccountArguments(TypedDict, total=False):
    """The part of subprocess's arguments that changes the account."""

    user: int
    group: int
    extra_groups: list[str | int]


def as_account(account: Account | None) -> AccountArguments:
    """The arguments with which subprocess changes to an account, dropping every supplementary group."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def stop(process: subprocess.Popen[bytes], sig: signal.Signals, timeout_s: float) -> bool:
    """End a process kindly, then its whole group by force; True when kindness was enough."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        process.wait(timeout_s)
        kind = True
    except subprocess.TimeoutExpired:
        kind = False
    kill_group(process)
    process.wait()
    return kind


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the process and the children it had (its group has the process's own id)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nothing left; macOS answers EPERM for a group of zombies


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_taken(port: int) -> bool:
    """Whether something already listens on this loopback port."""
    with socket.socket() as probe:
        # As every server does: connections of a predecessor still in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log file, for an error message a person reads."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _die_with(parent: int, sig: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl

    def before_exec() -> None:
        # Runs after the change of account, which would have cleared the setting.
        prctl(_PR_SET_PDEATHSIG, int(sig))
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return before_exec
