"""`zhike`: one entry point for every role and for the person who runs them.

Commands import what they need when they are called: a role's process must not load what only `up` uses.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from shared.config import DEFAULT_BASE_PORT

F = TypeVar("F", bound=Callable[..., Any])

# Commands that live elsewhere: name -> module and attribute, imported when called (or listed).
_ELSEWHERE = {
    "keys": ("deploy.people", "keys"),
    "users": ("deploy.people", "users"),
    "doctor": ("deploy.doctor", "doctor"),
    "demo": ("deploy.demo.command", "demo"),
    "evaluate": ("deploy.evaluate.command", "evaluate"),
    "backup": ("deploy.backup.command", "backup"),
    "restore": ("deploy.backup.command", "restore"),
}


class _Commands(click.Group):
    """A group that imports some of its commands only when they are wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(name for name in _ELSEWHERE if self.get_command(ctx, name))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, attribute = _ELSEWHERE[cmd_name]
        if importlib.util.find_spec(module) is None:
            return None
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Zhike: know a shop's customers, speak to each of them, prove what it earned."""


def data_option(function: F) -> F:
    """--data, the folder of an installation; ZHIKE_DATA sets its default."""
    option = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=lambda: os.environ.get("ZHIKE_DATA") or _default_data(),
        help="Data folder.  [default: ZHIKE_DATA, or var in the checkout]",
    )
    return option(function)


@main.command()
@data_option
@click.option("--port", default=DEFAULT_BASE_PORT, show_default=True, help="First of 14 ports; the proxy's own.")
@click.option("--scale", "scales", multiple=True, metavar="ROLE=N", help="How many processes of a role; repeatable.")
@click.option("--with", "extras", multiple=True, type=click.Choice(["mail"]), help="Also run the mail catcher.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the proxy listens on.")
@click.option("--detach", is_flag=True, help="Return when everything is ready and leave it running.")
def up(data: Path, port: int, scales: tuple[str, ...], extras: tuple[str, ...], host: str, detach: bool) -> None:
    """Start the whole platform here, or what DATABASE_URL and REDIS_URL leave to start."""
    from deploy import topology, up
    from deploy.home import Home, InUseError
    from deploy.placement import PlacementError
    from deploy.secrets import SecretsError
    from deploy.supervisor import StartError
    from deploy.valkey import ValkeyError

    data = data.absolute()
    try:
        asked = {**dict.fromkeys(extras, 1), **dict(map(_scale, scales))}
        wish = up.Wish(data, port, topology.scales(asked), host)
        if not detach:
            up.run(wish, _say)
            return
        arguments = ["--data", str(data), "--port", str(port), "--host", host]
        arguments += [part for role, count in asked.items() for part in ("--scale", f"{role}={count}")]
        sys.exit(up.detached(arguments, Home(data), _say))
    except (
        *(topology.TopologyError, InUseError, SecretsError, up.PortTakenError, StartError),
        *(PlacementError, ValkeyError, FileNotFoundError),
    ) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@data_option
def stop(data: Path) -> None:
    """End what `up` started."""
    from deploy import control

    click.echo(control.stop(data.absolute()))


@main.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(data: Path, as_json: bool) -> None:
    """What runs, since when, how often it was restarted, where the data are. Exit code 1 when nothing runs."""
    from deploy import control

    text, running = control.status(data.absolute(), as_json)
    click.echo(text)
    sys.exit(0 if running else 1)


@main.command()
@click.argument("role", required=False)
@data_option
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "--lines", default=20, show_default=True, help="How many lines from before.")
def logs(role: str | None, data: Path, follow: bool, lines: int) -> None:
    """The logs of all roles, or of one (also postgres, valkey, migrate, supervisor)."""
    from deploy import control

    for name, line in control.logs(data.absolute(), role, lines, follow):
        click.echo(line if role else f"{name:<20} {line}")


@main.command()
@click.argument("service")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, help="[default: the service's own from base port 8400]")
def api(service: str, host: str, port: int | None) -> None:
    """Serve the API of SERVICE."""
    from deploy import api, topology

    _known(service)
    api.run(service, host, port or topology.port_of(service))


@main.command()
@click.argument("service")
@click.option("--port", type=int, help="[default: the service's own from base port 8400]")
def probe(service: str, port: int | None) -> None:
    """Ask the API of SERVICE on this machine whether it can take work; exit code 1 when not."""
    from urllib.error import URLError
    from urllib.request import urlopen

    from deploy import topology

    _known(service)
    try:
        urlopen(f"http://127.0.0.1:{port or topology.port_of(service)}/readyz", timeout=4.0).close()
    except (URLError, TimeoutError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("service")
@click.option("--queues", help="Comma-separated.  [default: all of the service]")
@click.option("--concurrency", type=int, default=2, show_default=True, help="Tasks at the same time.")
def worker(service: str, queues: str | None, concurrency: int) -> None:
    """Run the tasks of SERVICE."""
    from deploy import worker
    from shared import contracts

    _known(service)
    own = {queue for queue in contracts.TASKS.values() if queue.partition(".")[0] == service}
    chosen = queues.split(",") if queues else sorted(own)
    if strangers := set(chosen) - own:
        raise click.ClickException(f"{service} has no queue {', '.join(strangers)}; it has {', '.join(sorted(own))}")
    sys.exit(worker.run(service, chosen, concurrency))


@main.command()
@click.option("--schedule-file", type=click.Path(path_type=Path), default=lambda: _default_data() / "run" / "beat")
def beat(schedule_file: Path) -> None:
    """Send every service's sweeps when they are due."""
    from deploy import beat

    beat.run(_required("REDIS_URL"), schedule_file)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, help="[default: the one of base port 8400]")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder of `zhike up`.  [default: containers]")
def metrics(host: str, port: int | None, data: Path | None) -> None:
    """Serve the metrics of all processes on one page, for Prometheus."""
    from deploy import aggregate, topology

    aggregate.run(host, port or DEFAULT_BASE_PORT + topology.METRICS_PORT, data)


@main.command()
def migrate() -> None:
    """Make roles, schemas and grants and run new migrations (DATABASE_URL of the owner, <SERVICE>_DB_PASSWORD)."""
    from deploy import migrate, secrets

    try:
        done = migrate.migrate(_required("DATABASE_URL"), secrets.passwords(os.environ))
    except migrate.MigrateError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"applied: {', '.join(done.applied) or 'nothing, all were'}")
    if done.unpublished:
        click.echo(f"views that no service has made: {', '.join(done.unpublished)}")


@main.command()
@click.option("--port", required=True, type=int)
@click.option("--folder", required=True, type=click.Path(path_type=Path))
def mail(port: int, folder: Path) -> None:
    """Catch mail instead of delivering it: one .eml per message in FOLDER."""
    from deploy import mailcatcher

    mailcatcher.run(port, folder)


@main.command("secrets")
def make_secrets() -> None:
    """Print new keys and passwords as lines for the .env of docker compose."""
    from deploy import secrets

    click.echo("\n".join(f"{name}={value}" for name, value in secrets.make().items()))


def _default_data() -> Path:
    from deploy.home import DEFAULT_DATA

    return DEFAULT_DATA


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise click.ClickException(f"{name} is not set")
    return value


def _known(service: str) -> None:
    from shared import contracts

    if service not in contracts.SERVICES:
        raise click.ClickException(f"there is no service {service!r}; there are {', '.join(contracts.SERVICES)}")


def _scale(text: str) -> tuple[str, int]:
    role, equals, count = text.partition("=")
    if not equals or not count.isdecimal():
        raise click.ClickException(f"--scale wants ROLE=N, not {text!r}")
    return role, int(count)


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()
