"""`zhike up`: the whole platform on one machine, from servers to proxy."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from deploy import connections, environment, proxy, secrets, topology
from deploy.home import CHECKOUT, Home
from deploy.liveness import is_not_stopped
from deploy.placement import PlacementError
from deploy.postgres import CONNECTIONS, EmbeddedPostgres
from deploy.process import LOOPBACK, Command, port_is_taken
from deploy.supervisor import Job, StartError, StopRequested, Supervisor
from deploy.topology import MAIL_PORT, METRICS_PORT, POSTGRES_PORT, VALKEY_PORT, Role
from deploy.valkey import EmbeddedValkey

SERVERS, MIGRATION, ROLES, FRONT = range(4)  # stages: started in this order, stopped the other way round


class PortTakenError(RuntimeError):
    """Somebody else listens on a port we need."""


@dataclass(frozen=True)
class Wish:
    """What the person asked for."""

    data: Path
    base_port: int
    scales: Mapping[str, int]
    host: str = LOOPBACK


@dataclass(frozen=True)
class Plan:
    """A wish made concrete: servers of ours or of theirs, and what the roles are told."""

    wish: Wish
    home: Home
    around: environment.Surroundings
    postgres: EmbeddedPostgres | None
    valkey: EmbeddedValkey | None


def run(wish: Wish, say: Callable[[str], None]) -> None:
    """Start everything, say READY, keep it running until SIGINT or SIGTERM. Raises what start-up can raise."""
    home = Home(wish.data)
    home.prepare()
    with home.lock():
        plan = make_plan(wish, home, os.environ)
        check_ports(plan)
        supervisor = Supervisor(home, say)
        supervisor.listen_to_signals()
        supervisor.facts = facts(plan)
        try:
            bring_up(plan, supervisor, say)
            supervisor.watch()
        except StopRequested:
            pass
        except PlacementError as error:
            raise StartError(str(error)) from error
        finally:
            supervisor.facts |= {"ready": False}
            supervisor.stop()
    say("stopped")


def make_plan(wish: Wish, home: Home, theirs: Mapping[str, str]) -> Plan:
    """Secrets, servers and addresses for a wish.

    DATABASE_URL and REDIS_URL in `theirs` take the place of the embedded servers.
    """
    values = secrets.load(home.path)
    base = wish.base_port
    owner_url, redis_url = theirs.get("DATABASE_URL"), theirs.get("REDIS_URL")
    postgres = valkey = None
    if not owner_url:
        password = values[secrets.POSTGRES_PASSWORD]
        granted = max(CONNECTIONS, connections.to_grant(wish.scales, theirs))
        postgres = EmbeddedPostgres(home.postgres, base + POSTGRES_PORT, True, password, granted)
    if not redis_url:
        valkey = EmbeddedValkey(home.valkey, base + VALKEY_PORT, password=values[secrets.VALKEY_PASSWORD])
    mail = f"smtp://{LOOPBACK}:{base + MAIL_PORT}" if wish.scales["mail"] else ""
    around = environment.Surroundings(
        owner_url=owner_url or (postgres.url if postgres else ""),
        redis_url=redis_url or (valkey.url if valkey else ""),
        base_port=base,
        secrets=values,
        artifacts=home.artifacts,
        public_url=os.environ.get("ZHIKE_PUBLIC_URL") or f"http://{LOOPBACK}:{base}",
        smtp_url=mail or os.environ.get("SMTP_URL", ""),
    )
    return Plan(wish, home, around, postgres, valkey)


def surroundings(home: Home) -> environment.Surroundings | None:
    """What the platform running in `home` is made of (owner's URL, queue, secrets, ports); None when nothing runs.

    Raises LookupError when it runs on servers whose URLs this process does not know.
    """
    if home.supervisor_pid() is None:
        return None
    state = home.read_state()
    theirs = {}
    for server, variable in (("postgres", "DATABASE_URL"), ("valkey", "REDIS_URL")):
        if not state["embedded"][server]:
            if not os.environ.get(variable):
                raise LookupError(f"the platform in {home.path} runs on a server of yours: set {variable} as for `up`")
            theirs[variable] = os.environ[variable]
    return make_plan(Wish(home.path, state["base_port"], state["scales"]), home, theirs).around


def check_ports(plan: Plan) -> None:
    """Refuse to start beside somebody who listens on one of our ports. Raises PortTakenError naming both."""
    base = plan.wish.base_port
    needed = {
        base + role.port: role.name for role in topology.ROLES if role.port is not None and plan.wish.scales[role.name]
    }
    if plan.postgres:
        needed[plan.postgres.port] = "PostgreSQL"
    if plan.valkey:
        needed[plan.valkey.port] = "Valkey"
    taken = [f"{port} ({name}){_listener(port)}" for port, name in sorted(needed.items()) if port_is_taken(port)]
    if taken:
        span = f"{base} to {base + METRICS_PORT}"
        raise PortTakenError(f"these ports are taken: {'; '.join(taken)}. Choose others with --port (now {span})")


def bring_up(plan: Plan, supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """Servers, then the migration, then all roles; returns when every one can take work."""
    began = time.monotonic()
    say("starting the servers …")
    supervisor.start(server_jobs(plan))
    supervisor.facts |= {"postgres": str(plan.postgres.location()) if plan.postgres else "DATABASE_URL"}
    say("bringing the database up to date …")
    supervisor.start([migration_job(plan)])
    shutil.rmtree(plan.home.run / "metrics", ignore_errors=True)  # addresses of an earlier run
    connections.check(plan.around.owner_url, plan.wish.scales, os.environ)
    jobs = [job for role in topology.ROLES for job in role_jobs(plan, role)]
    say(f"starting {len(jobs)} processes …")
    supervisor.start(jobs)
    supervisor.facts |= {"ready": True, "ready_at": time.time()}
    supervisor.note("up", seconds=round(time.monotonic() - began, 2))
    say(ready_text(supervisor.facts, time.monotonic() - began))


def server_jobs(plan: Plan) -> list[Job]:
    """The embedded servers, as far as there are any."""
    jobs = []
    if plan.postgres:
        plan.postgres.prepare()
        database = (plan.postgres.command, plan.postgres.is_ready, False, 120.0, is_not_stopped)
        jobs.append(Job("postgres", "postgres", SERVERS, *database))
    if plan.valkey:
        plan.valkey.prepare()
        valkey = plan.valkey
        jobs.append(
            Job("valkey", "valkey", SERVERS, valkey.mended_command, valkey.is_ready, answers=lambda _: valkey.answers())
        )
    return jobs


def migration_job(plan: Plan) -> Job:
    """`migrate`, once."""
    command = Command(_deploy("migrate"), environment.for_migration(plan.around), str(CHECKOUT))
    return Job("migrate", "migrate", MIGRATION, lambda: command, lambda: False, once=True)


def role_jobs(plan: Plan, role: Role) -> list[Job]:
    """As many processes of a role as were asked for."""
    count = plan.wish.scales[role.name]
    return [_role_job(plan, role, f"{role.name}.{number}") for number in range(1, count + 1)]


def _role_job(plan: Plan, role: Role, name: str) -> Job:
    ready_file = plan.home.run / f"{name}.ready"
    port = plan.wish.base_port + (role.port or 0)
    stage = FRONT if role.kind in ("proxy", "beat", "metrics") else ROLES
    if role.kind == "proxy":
        config = plan.home.run / "Caddyfile"
        config.write_text(proxy.local_config(plan.wish.base_port, plan.wish.host))
        caddy = proxy.command(config, plan.home.run)
        return Job(
            *(name, role.name, stage, lambda: caddy, lambda: port_is_taken(port)), answers=lambda _: proxy.answers(port)
        )
    env = environment.for_role(plan.around, role, ready_file)
    command = Command(_arguments(plan, role), env, str(CHECKOUT))
    asked = port if role.kind == "api" else None
    return Job(name, role.name, stage, lambda: command, lambda: ready_file.exists() and _answers(asked))


def _arguments(plan: Plan, role: Role) -> list[str]:
    base, home = plan.wish.base_port, plan.home
    if role.kind == "api":
        return _deploy("api", str(role.service), "--port", str(base + (role.port or 0)))
    if role.kind == "worker":
        queues = ",".join(topology.queues_of(role.name, plan.wish.scales))
        return _deploy("worker", str(role.service), "--queues", queues, "--concurrency", str(role.concurrency))
    if role.kind == "mail":
        return _deploy("mail", "--port", str(base + MAIL_PORT), "--folder", str(home.mail))
    if role.kind == "metrics":
        return _deploy("metrics", "--port", str(base + METRICS_PORT), "--data", str(home.path))
    return _deploy("beat", "--schedule-file", str(home.run / "beat-schedule"))


def _deploy(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "deploy", *arguments]


def _answers(port: int | None) -> bool:
    if port is None:
        return True
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=1.5) as reply:
            return bool(reply.status == 200)
    except (URLError, TimeoutError, ConnectionError):
        return False


def facts(plan: Plan) -> dict[str, object]:
    """What state.json says besides the processes. No secrets: everyone may read it."""
    base = plan.wish.base_port
    services = {
        role.service: f"http://{LOOPBACK}:{base + role.port}" for role in topology.ROLES if role.service and role.port
    }
    return {
        "ready": False,
        "data": str(plan.home.path),
        "base_port": base,
        "started_at": time.time(),
        "scales": dict(plan.wish.scales),
        "urls": {"platform": plan.around.public_url, **services},
        "embedded": {"postgres": plan.postgres is not None, "valkey": plan.valkey is not None},
        "smtp": bool(plan.around.smtp_url),
    }


def ready_text(state: Mapping[str, object], seconds: float) -> str:
    """What is printed when everything runs."""
    urls = state["urls"]
    address = urls["platform"] if isinstance(urls, dict) else ""
    return (
        f"READY after {seconds:.1f} s\n"
        f"  platform  {address}\n"
        f"  data      {state['data']}\n"
        f"  logs      zhike logs -f    state: zhike status    end: zhike stop"
    )


def detached(arguments: list[str], home: Home, say: Callable[[str], None]) -> int:
    """Start `up` as a background process, wait until it is ready; returns the exit code."""
    home.prepare()
    output = home.log / "up.log"
    with output.open("wb") as file:
        process = subprocess.Popen(
            _deploy("up", *arguments), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    while process.poll() is None:
        state = home.read_state()
        if state.get("pid") == process.pid and state.get("ready"):
            say(ready_text(state, state["ready_at"] - state["started_at"]))
            return 0
        time.sleep(0.1)
    say(output.read_text(errors="replace").rstrip())
    return process.returncode or 1


def _listener(port: int) -> str:
    """ " by pid 7, python", where the system lets us know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f" by pid {connection.pid}, {psutil.Process(connection.pid).name()}"
    except psutil.Error:
        pass
    return ""
