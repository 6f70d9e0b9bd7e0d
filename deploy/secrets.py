"""Keys and passwords of an installation: made at the first start, kept in one file only its owner can read.

A variable of the environment wins over the file, so that a secret store can take its place.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared import contracts

FILE_NAME: Final = "secrets.env"
POSTGRES_PASSWORD: Final = "ZHIKE_POSTGRES_PASSWORD"
VALKEY_PASSWORD: Final = "ZHIKE_VALKEY_PASSWORD"


class SecretsError(RuntimeError):
    """The file cannot be used; the message says what a person can do."""


def password_variable(service: str) -> str:
    """The variable that holds the password of a service's Postgres role."""
    return f"{service.upper()}_DB_PASSWORD"


NAMES: Final = (
    "ZHIKE_SECRET_KEY",
    "ZHIKE_DATA_KEY",
    POSTGRES_PASSWORD,
    VALKEY_PASSWORD,
    *(password_variable(service) for service in contracts.SERVICES),
)


def make() -> dict[str, str]:
    """A new set; every value is safe in a URL, a shell and a .env file."""
    return {name: secrets.token_urlsafe(32) for name in NAMES}


def load(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """All secrets of the installation in `folder`; what neither the file nor the environment has is made and kept.

    Raises SecretsError for a file that is not ours to read or has lines that are no assignments.
    """
    path = folder / FILE_NAME
    kept = _read(path)
    made = {name: value for name, value in make().items() if name not in kept and not environment.get(name)}
    if made:
        _write(path, kept | made)
    return {name: environment.get(name) or kept.get(name) or made[name] for name in NAMES}


def known(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The secrets that the file in `folder` or the environment has; none is made. Raises SecretsError."""
    kept = _read(folder / FILE_NAME)
    return {name: environment.get(name) or kept[name] for name in NAMES if environment.get(name) or name in kept}


def passwords(values: Mapping[str, str]) -> dict[str, str]:
    """Service name -> password of its Postgres role, as far as `values` has them."""
    names = {service: password_variable(service) for service in contracts.SERVICES}
    return {service: values[name] for service, name in names.items() if values.get(name)}


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretsError(f"{path} cannot be read: {error.strerror}") from error
    pairs = [line.partition("=") for line in lines if line.strip() and not line.startswith("#")]
    broken = [name for name, equals, value in pairs if not equals or not value]
    if broken:
        raise SecretsError(f"{path} has lines without a value ({', '.join(broken)}); bring it back from a copy")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _write(path: Path, values: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_suffix(".building")
    building.unlink(missing_ok=True)
    head = "# Made by `zhike up`. Keep a copy in a safe place: without ZHIKE_DATA_KEY no address can be read again.\n"
    with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(head + "".join(f"{name}={value}\n" for name, value in sorted(values.items())))
        file.flush()
        os.fsync(file.fileno())
    building.replace(path)
