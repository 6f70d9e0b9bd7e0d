"""The platform as docker-compose.yml starts it, without containers: each role a process of its own, told what the
file tells it, on a PostgreSQL and a Redis that are there already.

`python -m tests.journey.composed FOLDER BASE_PORT` runs until SIGTERM. Only addresses differ from the file's: host
names are loopback ports here, and what a volume holds there is a folder here.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from deploy import proxy, secrets, topology
from deploy.home import CHECKOUT, Home
from deploy.process import LOOPBACK, Command, port_is_taken
from deploy.supervisor import Job, StopRequested, Supervisor
from deploy.topology import MAIL_PORT, METRICS_PORT
from shared import contracts
from shared.config import DEFAULT_BASE_PORT
from tests.servers import GIVEN_POSTGRES, GIVEN_REDIS, JOURNEYS_REDIS_DATABASE

_START: Final = (sys.executable, "-m", "deploy")  # the image's entry point


@dataclass(frozen=True)
class Composed:
    """docker-compose.yml, read for one folder, one block of ports and given servers."""

    folder: Path
    base_port: int
    database_url: str
    redis_url: str

    @cached_property
    def services(self) -> dict[str, Any]:
        """The containers that `docker compose up` starts; those with our image are processes here."""
        file: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
        started = {name: entry for name, entry in file["services"].items() if "profiles" not in entry}
        return {name: entry for name, entry in started.items() if entry["image"] == "zhike"}

    @cached_property
    def variables(self) -> dict[str, str]:
        """What .env would say."""
        database, queue = urlsplit(self.database_url), urlsplit(self.redis_url)
        return {
            **secrets.load(self.folder, {}),
            secrets.POSTGRES_PASSWORD: database.password or "",
            secrets.VALKEY_PASSWORD: queue.password or "",
            "ZHIKE_PUBLIC_URL": f"http://{LOOPBACK}:{self.base_port}",
            "ZHIKE_ARTIFACTS_URL": f"file://{self.folder}/artifacts",
            "SMTP_URL": f"smtp://{LOOPBACK}:{self.base_port + MAIL_PORT}",
        }

    def environment(self, name: str) -> dict[str, str]:
        """The whole environment of a container."""
        told = {key: self._located(_filled(value, self.variables)) for key, value in self._told(name).items()}
        image = dict(re.findall(r"(\w+_NUM_THREADS)=(\d+)", (CHECKOUT / "Dockerfile").read_text()))
        return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **image, **told}

    def command(self, name: str) -> list[str]:
        """The command of a container, on a port of this platform's."""
        words = [word.replace("0.0.0.0", LOOPBACK) for word in self.services[name]["command"]]
        words = [word.replace("/beat/", f"{self.folder}/run/") for word in words]
        if words[0] == "metrics":
            return [*words, "--port", str(self.base_port + METRICS_PORT)]
        return [*words, "--port", str(topology.port_of(words[1], self.base_port))] if words[0] == "api" else words

    def _told(self, name: str) -> Mapping[str, str]:
        told: Mapping[str, str] = self.services[name].get("environment", {})
        return told

    def _located(self, text: str) -> str:
        database, queue = urlsplit(self.database_url), urlsplit(self.redis_url)
        text = text.replace("@postgres:5432/zhike", f"@{database.hostname}:{database.port}/zhike")
        text = text.replace("@redis:6379/0", f"@{queue.hostname}:{queue.port}/{JOURNEYS_REDIS_DATABASE}")
        return re.sub(r"//[a-z]+-api:(\d+)", lambda found: f"//{LOOPBACK}:{self._port(found[1])}", text)

    def _port(self, port: str) -> int:
        return int(port) - DEFAULT_BASE_PORT + self.base_port


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """A value with its ${NAME}, ${NAME:-default}, ${NAME:+other} and ${NAME:?message} filled in as compose does."""

    def value(found: re.Match[str]) -> str:
        name, kind, other = found.groups()
        given = variables.get(name, "")
        if kind == ":+":
            return other if given else ""
        if kind == ":?" and not given:
            raise KeyError(name)
        return given or other or ""

    return re.sub(r"\$\{(\w+)(?:(:[-+?])([^}]*))?\}", value, text)


def run(composed: Composed) -> None:
    """Migrate, then start everything and keep it until SIGTERM."""
    home = Home(composed.folder)
    home.prepare()
    with home.lock():
        supervisor = Supervisor(home, lambda _: None)
        supervisor.listen_to_signals()
        supervisor.facts = {"ready": False, "base_port": composed.base_port, "data": str(composed.folder)}
        try:
            supervisor.start([_job(composed, home, "migrate", once=True), _mail(composed, home)])
            supervisor.start([_job(composed, home, name) for name in composed.services if name != "migrate"])
            supervisor.start([_proxy(composed, home)])
            supervisor.facts |= {"ready": True, "ready_at": time.time()}
            supervisor.note("up")
            supervisor.watch()
        except StopRequested:
            pass
        finally:
            supervisor.stop()


def _job(composed: Composed, home: Home, name: str, once: bool = False) -> Job:
    ready = home.run / f"{name}.ready"
    env = {**composed.environment(name), "ZHIKE_READY_FILE": str(ready)}
    command = Command([*_START, *composed.command(name)], env, str(CHECKOUT))
    return Job(name, name, 0 if once else 2, lambda: command, ready.exists, once)


def _mail(composed: Composed, home: Home) -> Job:
    port = composed.base_port + MAIL_PORT
    argv = [*_START, "mail", "--port", str(port), "--folder", str(home.mail)]
    command = Command(argv, {"PATH": os.environ["PATH"]}, str(CHECKOUT))
    return Job("mail", "mail", 1, lambda: command, lambda: port_is_taken(port))


def _proxy(composed: Composed, home: Home) -> Job:
    """Caddy with the file that compose mounts; a container's name is a port here."""
    text = (CHECKOUT / "deploy" / "Caddyfile").read_text()
    for service in contracts.SERVICES:
        port = topology.port_of(service)
        here = f"to {LOOPBACK}:{topology.port_of(service, composed.base_port)}"
        text = text.replace(f"dynamic a {service}-api {port}", here)
    config = home.run / "Caddyfile"
    config.write_text(text)
    told = proxy.command(config, home.run)
    site = {"ZHIKE_SITE": f"http://:{composed.base_port}"}
    command = Command(told.argv, {**told.env, **site}, told.cwd)
    return Job("proxy", "proxy", 3, lambda: command, lambda: port_is_taken(composed.base_port))


def start(data: Path, base_port: int) -> dict[str, str]:
    """Start it in the background on the given servers and wait until it is ready; returns the console's environment.

    `zhike stop --data` ends it.
    """
    data.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.journey.composed", str(data), str(base_port), "detached"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return _of(data, base_port).environment("console-api")


def _of(data: Path, base_port: int) -> Composed:
    return Composed(data, base_port, GIVEN_POSTGRES, GIVEN_REDIS)


def _detached(data: Path, base_port: int) -> int:
    """What outlives the test worker that asked for it."""
    output = data / "composed.log"
    command = [sys.executable, "-m", "tests.journey.composed", str(data), str(base_port)]
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    while not Home(data).read_state().get("ready"):
        if process.poll() is not None:
            sys.stderr.write(output.read_text())
            return 1
        time.sleep(0.1)
    return 0


if __name__ == "__main__":
    where, port = Path(sys.argv[1]), int(sys.argv[2])
    if sys.argv[3:]:
        sys.exit(_detached(where, port))
    run(_of(where, port))
