"""The one page that says which processes exist, what each consumes, where it listens and which paths lead to it.

`zhike up`, the proxy, docker-compose.yml, the Dockerfile and the Caddyfile all say the same; tests hold them to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared import contracts
from shared.config import DEFAULT_BASE_PORT, SERVICE_PORTS

PROXY_PORT: Final = 0  # all ports are offsets from the base port
POSTGRES_PORT: Final = 10
VALKEY_PORT: Final = 11
MAIL_PORT: Final = 12
METRICS_PORT: Final = 13

# Requests that a process answers at the same time. Those of the collector mostly wait for the disk, and together.
_API_THREADS: Final = {"profile": 32}
_USUAL_API_THREADS: Final = 8


class TopologyError(ValueError):
    """There is no such role, or no such number of it."""


@dataclass(frozen=True)
class Role:
    """One kind of process.

    `queues` are all it can consume. A worker with several leaves those that another running worker is dedicated to.
    `scale` is how many run by default; a role of 0 is there to be asked for, to isolate its queue. `concurrency` is
    the threads of an API, the children of a worker: as many tasks at a time, and no task waits in a busy child.
    `native_threads` is what BLAS and OpenMP may use inside one process.
    """

    name: str
    kind: str  # api | worker | beat | proxy | metrics | mail
    service: str | None = None
    queues: tuple[str, ...] = ()
    scale: int = 1
    concurrency: int = 1
    native_threads: int = 1

    @property
    def port(self) -> int | None:
        """Offset of the port it listens on."""
        if self.kind == "api" and self.service:
            return SERVICE_PORTS[self.service]
        return {"proxy": PROXY_PORT, "mail": MAIL_PORT, "metrics": METRICS_PORT}.get(self.kind)


ROLES: Final = (
    *(
        Role(f"{service}-api", "api", service, concurrency=_API_THREADS.get(service, _USUAL_API_THREADS))
        for service in contracts.SERVICES
    ),
    Role("profile-worker", "worker", "profile", (contracts.PROFILE, contracts.PROFILE_APPENDER), concurrency=2),
    Role("profile-appender", "worker", "profile", (contracts.PROFILE_APPENDER,), scale=0),
    Role(
        "segmentation-worker",
        "worker",
        "segmentation",
        (contracts.SEGMENTATION, contracts.SEGMENTATION_BATCH),
        concurrency=2,
    ),
    # Work that takes minutes has processes of its own, so that it never holds up the readers of the log: computing
    # everybody anew, training, freezing the audiences of campaigns, and sending, which takes all children there are.
    Role("segmentation-batch", "worker", "segmentation", (contracts.SEGMENTATION_BATCH,)),
    Role("recommend-worker", "worker", "recommend", (contracts.RECOMMEND, contracts.RECOMMEND_TRAINER)),
    Role("recommend-trainer", "worker", "recommend", (contracts.RECOMMEND_TRAINER,), native_threads=2),
    Role(
        "campaign-worker",
        "worker",
        "campaign",
        (contracts.CAMPAIGN, contracts.CAMPAIGN_PREPARER, contracts.CAMPAIGN_SENDER),
        concurrency=2,
    ),
    Role("campaign-preparer", "worker", "campaign", (contracts.CAMPAIGN_PREPARER,), concurrency=2),
    Role("campaign-sender", "worker", "campaign", (contracts.CAMPAIGN_SENDER,), concurrency=2),
    Role("console-worker", "worker", "console", (contracts.CONSOLE,)),
    Role("beat", "beat"),
    Role("proxy", "proxy"),
    # The one page from which Prometheus reads all the others.
    Role("metrics", "metrics"),
    # Keeps every message in a folder instead of delivering it: for demos and trials only.
    Role("mail", "mail", scale=0),
)
SINGLE: Final = ("beat", "proxy", "metrics", "mail")  # kinds that cannot run twice side by side

BY_NAME: Final[Mapping[str, Role]] = {role.name: role for role in ROLES}

# The first part of a path that belongs to a service; whatever is not listed is the console's.
ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": (
        *("/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/v1/alias", "/v1/batch", "/v1/import"),
        *("/v1/customers", "/v1/consents", "/v1/merges", "/v1/rejected-events", "/v1/log"),
    ),
    "segmentation": ("/v1/segments", "/v1/insights", "/v1/recompute"),
    "recommend": (
        *("/v1/items", "/v1/categories", "/v1/recommendations", "/v1/slots", "/v1/models"),
        "/v1/audiences",
    ),
    "campaign": ("/v1/templates", "/v1/campaigns", "/v1/messages", "/v1/suppressions", "/v1/sending-policy", "/e"),
}
FALLBACK: Final = "console"

# What a service tells operators and not the world: the proxy does not pass these on.
PRIVATE_PATHS: Final = ("/metrics", "/readyz", "/statusz")


def role(name: str) -> Role:
    """The role of this name. Raises TopologyError naming the roles there are."""
    if name not in BY_NAME:
        raise TopologyError(f"there is no role {name!r}; there are {', '.join(BY_NAME)}")
    return BY_NAME[name]


def scales(asked: Mapping[str, int] | None = None) -> dict[str, int]:
    """How many of each role run: the defaults, changed by what was asked for. Raises TopologyError."""
    asked = asked or {}
    for name, count in asked.items():
        most = 1 if role(name).kind in SINGLE else 64
        if not 0 <= count <= most:
            raise TopologyError(f"{name} can run 0 to {most} times, not {count}")
    result = {entry.name: asked.get(entry.name, entry.scale) for entry in ROLES}
    lost = sorted(set(contracts.TASKS.values()) - {queue for name in result for queue in queues_of(name, result)})
    if lost:
        raise TopologyError(f"nobody would consume {', '.join(lost)}: leave at least one worker of that service")
    return result


def queues_of(name: str, running: Mapping[str, int]) -> tuple[str, ...]:
    """The queues a worker consumes beside the others that run: those no dedicated worker takes."""
    wanted = role(name)
    if not running.get(name):
        return ()
    dedicated = {
        entry.queues[0] for entry in ROLES if len(entry.queues) == 1 and entry is not wanted and running.get(entry.name)
    }
    return tuple(queue for queue in wanted.queues if len(wanted.queues) == 1 or queue not in dedicated)


def service_of(path: str) -> str:
    """The service a path leads to."""
    for service, prefixes in ROUTES.items():
        if any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes):
            return service
    return FALLBACK


def port_of(service: str, base_port: int = DEFAULT_BASE_PORT) -> int:
    """The port of a service's API."""
    return base_port + SERVICE_PORTS[service]
