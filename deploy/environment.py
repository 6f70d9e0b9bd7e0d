"""What each role is told by its environment: its own database role, its siblings' addresses, its keys, and no more."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import secrets, topology
from deploy.migrate import role_url
from deploy.process import LOOPBACK
from deploy.ready import VARIABLE as READY_VARIABLE
from shared import contracts
from shared.exporter import FOLDER_VARIABLE, LISTEN_VARIABLE
from shared.process import INSTANCE_VARIABLE, ROLE_VARIABLE

# What only the supervisor and the migration may know: whoever has the owner's URL can do anything.
OWNERS_SECRETS: Final = frozenset({"DATABASE_URL", "REDIS_URL", *secrets.NAMES})
NATIVE_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


@dataclass(frozen=True)
class Surroundings:
    """One running platform, as its roles see it."""

    owner_url: str
    redis_url: str
    base_port: int
    secrets: Mapping[str, str]
    artifacts: Path
    public_url: str
    smtp_url: str = ""


def for_role(around: Surroundings, role: topology.Role, ready_file: Path | None = None) -> dict[str, str]:
    """The whole environment of a process of this role."""
    env = {name: value for name, value in os.environ.items() if name not in OWNERS_SECRETS}
    env |= {"PYTHONUNBUFFERED": "1", "REDIS_URL": around.redis_url}
    # OpenBLAS threads beside our own processes only slow each other down; implicit brings threads of its own.
    env |= dict.fromkeys(NATIVE_THREADS, "1")
    if role.native_threads > 1:
        env["OMP_NUM_THREADS"] = str(max(1, min(role.native_threads, os.cpu_count() or 1)))
    if ready_file is not None:
        env[READY_VARIABLE] = str(ready_file)
        # Each process listens on a port of its own for its metrics and writes it down for the role `metrics`.
        env |= {LISTEN_VARIABLE: f"{LOOPBACK}:0", FOLDER_VARIABLE: str(ready_file.parent / "metrics")}
        env |= {ROLE_VARIABLE: role.name, INSTANCE_VARIABLE: ready_file.stem}
    if role.service is not None:
        env |= for_service(around, role.service)
    return env


def for_service(around: Surroundings, service: str) -> dict[str, str]:
    """The variables shared.config reads, for one service."""
    urls = {
        f"{name.upper()}_URL": f"http://{LOOPBACK}:{topology.port_of(name, around.base_port)}"
        for name in contracts.SERVICES
    }
    return urls | {
        "DATABASE_URL": role_url(around.owner_url, service, around.secrets[secrets.password_variable(service)]),
        "REDIS_URL": around.redis_url,
        "ZHIKE_SECRET_KEY": around.secrets["ZHIKE_SECRET_KEY"],
        "ZHIKE_DATA_KEY": around.secrets["ZHIKE_DATA_KEY"],
        "ZHIKE_PUBLIC_URL": around.public_url,
        "ZHIKE_ARTIFACTS_URL": os.environ.get("ZHIKE_ARTIFACTS_URL", f"file://{around.artifacts}"),
        "SMTP_URL": around.smtp_url,
    }


def for_migration(around: Surroundings) -> dict[str, str]:
    """The environment of `migrate`: the owner's URL and the passwords of all roles."""
    passwords = {name: around.secrets[name] for name in map(secrets.password_variable, contracts.SERVICES)}
    env = {name: value for name, value in os.environ.items() if name not in OWNERS_SECRETS}
    return env | passwords | {"DATABASE_URL": around.owner_url, "PYTHONUNBUFFERED": "1"}
