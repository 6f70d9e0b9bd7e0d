"""What an operator asks of every process: alive, ready, metrics, how it stands, and where the API is described."""

from collections.abc import Callable
from typing import Final

import orjson
from flask import Blueprint, Response, current_app, redirect
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.wrappers import Response as WerkzeugResponse

from shared import auth, database, metrics, queue, standing, telemetry

_log = telemetry.get_logger(__name__)

operations: Final = Blueprint("operations", __name__)


@operations.get("/healthz")
@auth.public
def healthz() -> dict[str, object]:
    """Alive: this process answers."""
    return {"status": "ok", "service": current_app.config["SERVICE"]}


@operations.get("/readyz")
@auth.public
def readyz() -> tuple[dict[str, object], int]:
    """Ready: the database answers and is migrated. The queue is reported, but its absence makes nobody unready."""
    checks = {"database": _try(_check_database), "queue": _try(lambda: queue.valkey().ping())}
    ready = checks["database"] == "ok"
    return {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503


@operations.get("/docs")
@auth.public
def docs() -> WerkzeugResponse:
    """The reader of the API's description; with its scripts and styles it is a page of the console."""
    return redirect(f"{current_app.config['SETTINGS'].public_url}/reference/{current_app.config['SERVICE']}")


@operations.get("/metrics")
@auth.public
def get_metrics() -> Response:
    """Prometheus metrics of this process and of its service. The proxy does not pass it on."""
    return Response(metrics.page(), content_type=CONTENT_TYPE_LATEST)


@operations.get("/statusz")
@auth.require("system:read")
def statusz() -> Response:
    """How the service stands: queues, readers, jobs, dead letters. The proxy does not pass it on."""
    return Response(orjson.dumps(standing.report()), content_type="application/json")


def _check_database() -> None:
    with database.transaction(read_only=True, timeout_ms=2000) as tx:
        tx.value("SELECT version_num FROM alembic_version")


def _try(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001  # any failure is the answer
        _log.warning("not_ready", error=type(error).__name__)
        return "failed"
    return "ok"
