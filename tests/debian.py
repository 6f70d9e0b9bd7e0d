"""`python -m tests.debian [OPTIONS OF PYTEST]`: the tests that need servers, on PostgreSQL 15 and Redis 7 of Debian.

Starts private instances of both as the packages ship them (stock settings, own data and ports), hands their URLs to
the tests, ends them. The journeys' roles then run in separate processes, as docker-compose.yml starts them.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psycopg
import redis

from deploy.placement import environment, run_as, write
from deploy.process import LOOPBACK, Command, free_port, spawn, stop, tail, unprivileged_account

POSTGRES: Final = Path("/usr/lib/postgresql/15/bin")
REDIS: Final = Path("/usr/bin/redis-server")
PACKAGES: Final = ("postgresql-15", "redis-server")
TESTS: Final = ("tests/integration", "tests/journey")
OWNER: Final = "zhike"  # of the database and its name, as in docker-compose.yml
_START_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 60.0


class MissingError(RuntimeError):
    """Debian's servers are not here and cannot be installed."""


def missing() -> list[str]:
    """The packages whose binaries are not on this machine."""
    return [
        package for package, path in zip(PACKAGES, (POSTGRES / "postgres", REDIS), strict=True) if not path.exists()
    ]


def install() -> None:
    """Install what is missing, where we may. The packages' own services are not started. Raises MissingError."""
    if not (packages := missing()):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingError(f"please install Debian's packages {' and '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", "--quiet=2", *arguments], env=quiet, check=True)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL 15 with the settings it comes with; yields the URL of its superuser. `folder` is made for it."""
    account = unprivileged_account()
    folder.mkdir(mode=0o755)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    cluster, password, port = folder / "cluster", secrets.token_urlsafe(24), free_port()
    note = folder / "password"
    write(note, password + "\n", account)
    options = [f"--username={OWNER}", f"--pwfile={note}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
    run_as(account, [str(POSTGRES / "initdb"), "-D", str(cluster), *options, "--no-sync"])
    argv = [str(POSTGRES / "postgres"), "-D", str(cluster), "-p", str(port), "-h", LOOPBACK, "-c", "fsync=off"]
    command = Command([*argv, "-c", "unix_socket_directories="], environment(), account=account)
    url = f"postgresql://{OWNER}:{password}@{LOOPBACK}:{port}/{OWNER}"

    def answers() -> None:
        with psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {OWNER}")

    with _running(command, folder.with_suffix(".log"), answers, psycopg.OperationalError, signal.SIGINT):
        yield url


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis 7 with the settings it comes with; yields the URL of its database 0. `folder` is made for it."""
    folder.mkdir()
    password, port = secrets.token_urlsafe(24), free_port()
    settings = f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\ndir {folder}\nappendonly yes\n"
    command = Command([str(REDIS), "-"], stdin=settings.encode(), cwd=str(folder))
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"

    def answers() -> None:
        with redis.Redis.from_url(url) as client:
            client.ping()

    with _running(command, folder.with_suffix(".log"), answers, redis.RedisError, signal.SIGTERM):
        yield url


@contextlib.contextmanager
def _running(
    command: Command, log: Path, answers: Callable[[], None], away: type[Exception], ending: signal.Signals
) -> Iterator[None]:
    with log.open("wb") as output:
        process = spawn(command, output)
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                answers()
                break
            except away:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise MissingError(f"{command.argv[0]} did not start:\n{tail(log)}") from None
                time.sleep(0.05)
        yield
    finally:
        stop(process, ending, _STOP_TIMEOUT_S)


@contextlib.contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Both servers, as variables for tests.servers. Nothing is left of them afterwards."""
    # Below the system's own folder for such things: PostgreSQL's account must be able to pass.
    folder = Path(tempfile.mkdtemp(prefix="zhike-debian-"))
    folder.chmod(0o755)
    try:
        with postgres(folder / "postgres") as database, redis_server(folder / "redis") as queue:
            yield {"TEST_DATABASE_URL": database, "TEST_REDIS_URL": queue}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(options: list[str]) -> int:
    """Run the tests; returns pytest's exit code."""
    try:
        install()
        with servers() as urls:
            chosen = [option for option in options if option.startswith("tests")]
            command = [sys.executable, "-m", "pytest", *options, *([] if chosen else TESTS)]
            return subprocess.run(command, env={**os.environ, **urls}, check=False).returncode
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
