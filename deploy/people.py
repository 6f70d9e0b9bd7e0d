"""`zhike keys` and `zhike users`: who may call and who may enter, through the console's own use cases."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from deploy import up
from deploy.cli import data_option
from deploy.environment import for_service
from deploy.home import Home
from shared import contracts, crypto, database, queue
from shared.config import ConfigurationError, load_settings
from shared.problems import Problem


@click.group()
def keys() -> None:
    """API keys: for browsers, storefronts and servers."""


@keys.command("create")
@click.option("--kind", type=click.Choice(sorted(contracts.KEY_SCOPES)), required=True)
@click.option("--name", required=True, help="What it is for.")
@data_option
def create_key(kind: str, name: str, data: Path) -> None:
    """Make a key and print it. It is shown this once."""
    with as_console(data):
        created = _actions("keys").create_key(name, kind)
    click.echo(f"{created.secret}")
    click.echo(f"id {created.key_id}: keep the key now, only its hash is stored", err=True)


@keys.command("list")
@data_option
def list_keys(data: Path) -> None:
    """All keys, without their secrets."""
    with as_console(data):
        for key in _actions("keys").list_keys():
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in force"
            click.echo(f"{key.key_id}  {key.kind:<11} {state:<19} {key.hint}  {key.name}")


@keys.command("revoke")
@click.argument("key_id", type=click.UUID)
@data_option
def revoke_key(key_id: UUID, data: Path) -> None:
    """End a key for good."""
    with as_console(data):
        _actions("keys").revoke_key(key_id)
    click.echo("revoked")


@click.group()
def users() -> None:
    """People who may enter the console."""


@users.command("create")
@click.argument("email")
@click.option("--role", default="admin", show_default=True, help="What they may do there.")
@data_option
def create_user(email: str, role: str, data: Path) -> None:
    """Let a person in and print the password made up for them. It is shown this once."""
    with as_console(data):
        created = _actions("users").create_user(email, None, role)
    click.echo(f"{created.email} enters with {created.password}")


@users.command("list")
@data_option
def list_users(data: Path) -> None:
    """Everybody who may enter, with role and state."""
    with as_console(data):
        for user in _actions("users").list_users():
            state = "disabled" if user.disabled_at else "two steps" if user.two_step else "password"
            click.echo(f"{user.role:<9} {state:<9} {user.email}")


@users.command("reset-password")
@click.argument("email")
@data_option
def reset_password(email: str, data: Path) -> None:
    """Print a link with which this person chooses a new password: once, within half an hour."""
    with as_console(data):
        link = _actions("resets").link_for(_user_id(email))
    click.echo(link.address)
    click.echo(f"for {link.email}, once, until {link.expires_at:%H:%M} UTC", err=True)


@users.command("reset-two-step")
@click.argument("email")
@data_option
def reset_two_step(email: str, data: Path) -> None:
    """Take two-step log-in off a person who lost phone and recovery codes. They are told on the next log-in."""
    with as_console(data):
        _actions("two_step").reset(_user_id(email))
    click.echo("the password alone opens this account now; sessions have ended")


@users.command("unlock")
@click.argument("email")
@data_option
def unlock(email: str, data: Path) -> None:
    """Let a person try again at once after too many wrong passwords or codes."""
    with as_console(data):
        forgotten = _actions("users").unlock(_user_id(email))
    click.echo(f"{forgotten} failed attempts forgotten")


@contextmanager
def as_console(data: Path) -> Iterator[None]:
    """This process as the console: of the platform running in `data`, or of the environment's variables.

    Inside, the use cases of services.console.actions work; a Problem becomes a message. Raises ClickException.
    """
    try:
        around = up.surroundings(Home(data.absolute()))
    except LookupError as error:
        raise click.ClickException(str(error)) from error
    before = dict(os.environ)
    if around is not None:
        os.environ.update(for_service(around, "console"))
    try:
        settings = load_settings("console")
    except ConfigurationError as error:
        raise click.ClickException(f"no platform runs in {data} (`zhike up` starts one), and {error}") from error
    finally:
        # Whoever asks for DATABASE_URL later in this process must not get the console's.
        os.environ.clear()
        os.environ.update(before)
    crypto.configure(settings)
    database.configure(settings.database_url, settings.service, 1)
    queue.configure(settings)
    import_module("services.console.channels.mail").configure(settings)
    try:
        yield
    except Problem as problem:
        raise click.ClickException(problem.detail) from problem
    finally:
        database.close()


def _user_id(email: str) -> UUID:
    found: UUID = _actions("users").by_email(email).user_id
    return found


def _actions(name: str) -> Any:
    return import_module(f"services.console.actions.{name}")
