"""The servers everything stands on: PostgreSQL, Valkey or Redis, the mail server."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import redis

from deploy import migrate
from deploy.backup import snapshot
from deploy.checkup.finding import Finding, judge
from services.campaign.channels import ChannelDown
from services.campaign.channels.smtp import SmtpConnection, parse_url
from shared import contracts

OLDEST_REDIS: Final = (6, 2)
_CLOCKS_APART_WARN_S: Final = 2.0
_CLOCKS_APART_FAIL_S: Final = 30.0


def database(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """Version, migrations, connections, its clock beside ours."""
    version = connection.info.server_version
    yield judge(
        "database",
        f"PostgreSQL {version // 10000}.{version % 10000}",
        "PostgreSQL 15 or newer is needed: move to one with zhike backup and zhike restore",
        fail=version < migrate.OLDEST_SERVER,
    )
    yield _migrations(connection)
    row = _one(
        connection,
        """
        SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
               current_setting('max_connections')::int AS most,
               clock_timestamp() AS now
        """,
    )
    used, most = row["used"], row["most"]
    yield judge(
        "database connections",
        f"{used} of {most} in use",
        "raise max_connections, or run fewer processes; each API process may take 8, each worker task one or two",
        fail=used > most * 0.95,
        warn=used > most * 0.8 or most < 100,
    )
    apart = abs((datetime.now(UTC) - row["now"]).total_seconds())
    yield judge(
        "clocks",
        f"this machine and the database are {apart:.1f} s apart",
        "set both by NTP: leases, quiet hours and sessions compare them",
        fail=apart > _CLOCKS_APART_FAIL_S,
        warn=apart > _CLOCKS_APART_WARN_S,
    )


def _migrations(connection: psycopg.Connection[Any]) -> Finding:
    remedy = "zhike migrate (zhike up does it by itself)"
    try:
        heads = snapshot.heads(connection)
    except snapshot.SnapshotError as error:
        return Finding("migrations", "fail", str(error), remedy)
    behind = [service for service in contracts.SERVICES if heads.get(service) != migrate.newest_revision(service)]
    newer = [service for service in behind if heads.get(service) not in migrate.known_revisions(service)]
    if newer:
        fact = f"{', '.join(newer)}: the database is of a newer release than this code"
        return Finding("migrations", "fail", fact, "run the newer release, or restore a backup of before it")
    return judge("migrations", f"behind: {', '.join(behind)}" if behind else "all are in", remedy, fail=bool(behind))


def queue(url: str) -> Iterator[Finding]:
    """Version, what it does when memory runs out, whether it keeps what it is told; what waits in it."""
    client = redis.Redis.from_url(url, socket_timeout=5.0, socket_connect_timeout=3.0)
    with contextlib.closing(client):
        try:
            told: Any = client.info()
            depths = {name: int(client.llen(name)) for name in sorted(set(contracts.TASKS.values()))}
        except redis.RedisError as error:
            remedy = "start it, or correct REDIS_URL; events are taken meanwhile, work waits"
            yield Finding("queue", "fail", f"it does not answer: {error}", remedy)
            return
    yield from judge_queue(told, depths)


def judge_queue(told: dict[str, Any], depths: dict[str, int]) -> Iterator[Finding]:
    """What INFO and the lengths of the queues mean."""
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = tuple(map(int, str(told["redis_version"]).split(".")[:2]))
    shown = told.get("valkey_version", told["redis_version"])
    yield judge("queue", f"{name} {shown}", "Redis 6.2 or newer, or Valkey, is needed", fail=version < OLDEST_REDIS)
    policy = told.get("maxmemory_policy", "unknown")
    yield judge(
        "queue memory",
        f"{told.get('used_memory_human', '?')} used, policy {policy}",
        "set maxmemory-policy to noeviction: the others drop tasks and kept replies when memory runs out",
        warn=policy != "noeviction",
    )
    snapshots = int(told.get("rdb_saves", told.get("rdb_last_save_time", 0))) > 0
    yield judge(
        "queue persistence",
        "append-only file" if told.get("aof_enabled") else "snapshots" if snapshots else "none",
        "appendonly yes: without it a restart forgets which repeated requests were answered (work is not lost)",
        warn=not told.get("aof_enabled"),
    )
    deepest = max(depths, key=lambda queue: depths[queue])
    waiting = ", ".join(f"{queue} {count}" for queue, count in depths.items() if count) or "none"
    yield judge(
        "tasks waiting",
        waiting,
        f"look at the log of the worker of {deepest}; zhike up --scale gives it more processes",
        warn=depths[deepest] > 1000,
    )


def mail(url: str) -> Finding:
    """Greeting, encryption and log-in, as the sender does them; nothing is sent."""
    if not url:
        remedy = "set SMTP_URL, such as smtp://user:password@mail.example:587"
        return Finding("mail server", "warn", "none is set: no campaign can send", remedy)
    try:
        server = parse_url(url)
        connection = SmtpConnection(server, connect_timeout=5.0, reply_timeout=5.0)
        connection.connect()
        connection.close()
    except ChannelDown as error:
        return Finding("mail server", "fail", str(error), "correct SMTP_URL, or let this machine reach the server")
    loopback = server.host in ("127.0.0.1", "localhost", "::1")
    return judge(
        "mail server",
        f"{server.host}:{server.port} greets us",
        "without encryption addresses and letters cross the network in the clear: smtps://, or ?starttls=required",
        warn=not (server.tls or server.starttls == "required" or loopback),
    )


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    return connection.execute(query).fetchone()
