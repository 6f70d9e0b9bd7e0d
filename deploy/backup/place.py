"""Which installation is meant: its database, queue, keys, model files; starting its database where it does not run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import secrets
from deploy.home import Home, InUseError
from deploy.placement import PlacementError
from deploy.postgres import EmbeddedPostgres
from shared import crypto

BACKUPS: Final = "backups"
# What data and links depend on. The passwords of the roles are set anew by every migration.
KEYS: Final = ("ZHIKE_DATA_KEY", "ZHIKE_SECRET_KEY")


class PlaceError(RuntimeError):
    """The installation cannot be used for this now; the message says what a person can do."""


@dataclass(frozen=True)
class Place:
    """An installation whose database answers. `redis_url` "": its queue is embedded and not running."""

    home: Home
    owner_url: str
    redis_url: str
    artifacts_url: str
    secrets: Mapping[str, str]


@contextmanager
def opened(data: Path, theirs: Mapping[str, str] = os.environ, *, alone: bool = False) -> Iterator[Place]:
    """The installation in `data`, or the one DATABASE_URL names; an embedded server that is down is started meanwhile.

    `alone`: the platform must not run, nor start before the block ends. Raises PlaceError.
    """
    from deploy import up

    home = Home(data)
    try:
        running = up.surroundings(home)
    except LookupError as error:
        raise PlaceError(str(error)) from error
    if running is not None and alone:
        raise PlaceError(f"the platform in {data} runs: `zhike stop` first")
    artifacts = theirs.get("ZHIKE_ARTIFACTS_URL") or f"file://{home.artifacts}"
    if running is not None:
        yield Place(home, running.owner_url, running.redis_url, artifacts, running.secrets)
        return
    values = secrets.known(home.path, theirs)
    if missing := [name for name in KEYS if not values.get(name)]:
        raise PlaceError(
            f"{' and '.join(missing)} are neither in the environment nor in {home.path / secrets.FILE_NAME}: "
            "bring back the keys of this installation"
        )
    if theirs.get("DATABASE_URL"):
        yield Place(home, theirs["DATABASE_URL"], theirs.get("REDIS_URL", ""), artifacts, values)
        return
    with _embedded(home) as owner_url:
        yield Place(home, owner_url, theirs.get("REDIS_URL", ""), artifacts, secrets.load(home.path, theirs))


@contextmanager
def _embedded(home: Home) -> Iterator[str]:
    home.prepare()
    try:
        with home.lock():
            password = secrets.load(home.path)[secrets.POSTGRES_PASSWORD]
            server = EmbeddedPostgres(home.postgres, durable=True, password=password)
            server.start()
            try:
                yield server.url
            finally:
                server.stop()
    except (InUseError, PlacementError) as error:
        raise PlaceError(str(error)) from error


def fingerprints(values: Mapping[str, str]) -> dict[str, str]:
    """Name -> fingerprint of each key that data depend on, "" for the other secrets that are set; never a value."""
    found = {name: "" for name in secrets.NAMES if values.get(name)}
    return found | {name: fingerprint(values[name]) for name in KEYS if values.get(name)}


def fingerprint(value: str) -> str:
    """What tells one key from another and does not help to find it: 64 bits derived from it."""
    return crypto.derive(value.encode(), "fingerprint")[:8].hex()
