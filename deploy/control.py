"""What can be asked of a running platform from outside: stop, status, logs."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psutil

from deploy.home import Home
from deploy.logfile import follow

STOP_PATIENCE_S = 240.0


def stop(data: Path) -> str:
    """Ask the supervisor to end and wait until it has. Raises ClickException when it does not."""
    home = Home(data)
    pid = home.supervisor_pid()
    if pid is None:
        return f"nothing runs in {data}"
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_PATIENCE_S
    while home.supervisor_pid() is not None:
        if time.monotonic() > deadline:
            raise click.ClickException(f"pid {pid} has not ended after {STOP_PATIENCE_S:.0f} s; see {home.log}")
        time.sleep(0.1)
    for _ in range(50):  # the folder is free; let the process itself be gone too
        if not psutil.pid_exists(pid):
            break
        time.sleep(0.1)
    return "stopped"


def status(data: Path, as_json: bool) -> tuple[str, bool]:
    """(text, whether it runs)."""
    home = Home(data)
    pid = home.supervisor_pid()
    state = home.read_state()
    if pid is None:
        where = f" (its data are kept: {_places(state)})" if state else ""
        text = f"nothing runs in {data}{where}"
        return (json.dumps({**state, "ready": False, "pid": None, "processes": []}) if as_json else text), False
    if as_json:
        return json.dumps(state), True
    return _table(state), True


def logs(data: Path, role: str | None, lines: int, forever: bool) -> Iterator[tuple[str, str]]:
    """(role, line) from the log files. Raises ClickException for a role without one."""
    folder = Home(data).log
    paths = sorted(folder.glob("*.log")) if role is None else [folder / f"{role}.log"]
    if role is not None and not paths[0].exists():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none"
        raise click.ClickException(f"there is no log of {role!r} in {folder}; there are {names}")
    return follow(paths, lines, forever)


def _table(state: dict[str, Any]) -> str:
    urls = state.get("urls", {})
    head = [
        f"{'ready' if state.get('ready') else 'starting or stopping'}: {urls.get('platform')}",
        f"data: {_places(state)}",
        f"supervisor: pid {state.get('pid')}, up {_ago(state.get('started_at', 0.0))}",
        "",
        f"{'PROCESS':<24}{'PID':>8}  {'STATE':<10}{'UP':>10}{'RESTARTS':>10}{'MEMORY':>10}",
    ]
    rows = [
        f"{entry['name']:<24}{entry['pid'] or '-':>8}  {entry['state']:<10}"
        f"{_ago(entry['started_at']) if entry['pid'] else '-':>10}{entry['restarts']:>10}{_memory(entry['pid']):>10}"
        for entry in state.get("processes", [])
        if entry["name"] != "migrate"
    ]
    return "\n".join(head + rows)


def _memory(pid: int | None) -> str:
    """What a process and its children hold; where the system tells, what they share is counted once."""
    try:
        process = psutil.Process(pid) if pid else None
        family = [process, *process.children(recursive=True)] if process else []
        held = [member.memory_full_info() for member in family]
    except psutil.Error:  # it has just ended, or is not ours to look into
        return "-"
    return f"{sum(getattr(info, 'pss', info.rss) for info in held) >> 20} MB" if held else "-"


def _places(state: dict[str, Any]) -> str:
    postgres = state.get("postgres")
    return str(state.get("data")) + (f", PostgreSQL in {postgres}" if postgres else "")


def _ago(since: float) -> str:
    seconds = max(0, int(time.time() - since))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d}"
