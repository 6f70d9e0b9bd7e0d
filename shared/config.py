"""Environment -> frozen settings. Read once, in app.py or worker.py; everything else is handed what it needs."""

from dataclasses import dataclass, field
from typing import Final

from environs import Env, EnvError

from shared import contracts

DEFAULT_BASE_PORT: Final = 8400
POOL_SIZE: Final = 8  # connections of a process at most; an API opens no more than it has threads


class ConfigurationError(Exception):
    """A setting is missing or unusable; the message names the variable."""


@dataclass(frozen=True)
class Settings:
    """What one process of one service was told by its environment.

    `database_url` logs in as the service's own Postgres role. `secret_key` signs (tokens, links, sessions);
    `data_key` seals contact fields and keys the blind index. They are separate so that tokens can be
    revoked wholesale without losing data. Neither appears in `repr`.
    """

    service: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    data_key: str = field(repr=False)
    public_url: str
    artifacts_url: str
    service_urls: dict[str, str]
    smtp_url: str = field(repr=False)
    log_level: str
    pool_size: int


def load_settings(service: str) -> Settings:
    """Read the settings of `service` from the environment.

    Raises ConfigurationError naming the first variable that is missing or malformed.
    """
    if service not in contracts.SERVICES:
        raise ConfigurationError(f"there is no service called {service!r}; there are {', '.join(contracts.SERVICES)}")
    env = Env()
    try:
        return Settings(
            service=service,
            database_url=env.str("DATABASE_URL"),
            redis_url=env.str("REDIS_URL"),
            secret_key=_key(env, "ZHIKE_SECRET_KEY"),
            data_key=_key(env, "ZHIKE_DATA_KEY"),
            public_url=env.str("ZHIKE_PUBLIC_URL", f"http://127.0.0.1:{DEFAULT_BASE_PORT}").rstrip("/"),
            artifacts_url=env.str("ZHIKE_ARTIFACTS_URL", "file://var/artifacts"),
            service_urls=_service_urls(env),
            smtp_url=env.str("SMTP_URL", ""),
            log_level=env.str("ZHIKE_LOG_LEVEL", "info"),
            pool_size=env.int("ZHIKE_POOL_SIZE", POOL_SIZE),
        )
    except EnvError as error:
        raise ConfigurationError(str(error)) from error


def _key(env: Env, name: str) -> str:
    value = env.str(name)
    if len(value) < 32:
        raise ConfigurationError(
            f"{name} must have at least 32 characters; `zhike up` makes one, or use a password generator"
        )
    return value


def _service_urls(env: Env) -> dict[str, str]:
    """PROFILE_URL, SEGMENTATION_URL, …; the ports of a single machine where they are not set."""
    return {
        service: env.str(f"{service.upper()}_URL", f"http://127.0.0.1:{DEFAULT_BASE_PORT + offset}").rstrip("/")
        for service, offset in SERVICE_PORTS.items()
    }


# Offsets from the base port; deploy/topology.py builds on the same numbers.
SERVICE_PORTS: Final = {"console": 1, "profile": 2, "segmentation": 3, "recommend": 4, "campaign": 5}
