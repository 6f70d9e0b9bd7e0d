"""How many connections to PostgreSQL the roles can open at most, and whether the server grants as many.

Each process opens its pool as it needs it, so the usual number is far below; but a pool that meets the server's limit
under load turns requests and tasks away, and that had better be known at the start.
"""

from collections.abc import Mapping
from typing import Final

import psycopg

from deploy import topology
from deploy.supervisor import StartError
from shared.config import POOL_SIZE
from shared.queue import CONNECTIONS_A_CHILD

SPARE: Final = 10  # `zhike migrate`, keys, users, a backup, a person with psql
_RESERVED: Final = 5  # what a server keeps for superusers (3) and more


def of_role(role: topology.Role, environment: Mapping[str, str]) -> int:
    """How many one process of `role` can open, as ZHIKE_POOL_SIZE and ZHIKE_API_THREADS in `environment` allow."""
    pool = int(environment.get("ZHIKE_POOL_SIZE") or POOL_SIZE)
    if role.kind == "api":
        return min(pool, int(environment.get("ZHIKE_API_THREADS") or role.concurrency))
    return role.concurrency * min(pool, CONNECTIONS_A_CHILD) if role.kind == "worker" else 0


def needed(scales: Mapping[str, int], environment: Mapping[str, str]) -> dict[str, int]:
    """Role -> how many all its processes together can open; roles without any are left out."""
    counts = {role.name: scales[role.name] * of_role(role, environment) for role in topology.ROLES}
    return {name: count for name, count in counts.items() if count}


def to_grant(scales: Mapping[str, int], environment: Mapping[str, str]) -> int:
    """The max_connections of a server that serves these roles and nobody else."""
    return sum(needed(scales, environment).values()) + SPARE + _RESERVED


def check(owner_url: str, scales: Mapping[str, int], environment: Mapping[str, str]) -> None:
    """Refuse roles that can open more connections than the server grants. Raises StartError saying what can be done."""
    wanted = needed(scales, environment)
    total, granted = sum(wanted.values()) + SPARE, _granted(owner_url)
    if total > granted:
        most = ", ".join(
            f"{name} {count}" for name, count in sorted(wanted.items(), key=lambda entry: -entry[1]) if count
        )
        raise StartError(
            f"these roles can open {total} connections ({most}; {SPARE} to spare) and PostgreSQL grants {granted}: "
            f"raise its max_connections to {to_grant(scales, environment)}, ask for fewer processes, "
            "or set ZHIKE_POOL_SIZE lower"
        )


def _granted(owner_url: str) -> int:
    with psycopg.connect(owner_url, connect_timeout=10) as connection:
        row = connection.execute(
            """
            SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                 - coalesce(current_setting('reserved_connections', true)::int, 0)
            """
        ).fetchone()
    return int(row[0]) if row else 0
