"""Idempotency-Key: a repeated request is answered like the first, and done once."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any, Final, TypeVar

import redis
from flask import Response, g
from flask import request as http

from shared import queue, telemetry
from shared.problems import BadRequest, Conflict, Invalid

F = TypeVar("F", bound=Callable[..., Any])

IDEMPOTENCY_TTL_S: Final = 24 * 3600
# Longer than gunicorn lets a request run: the key of one that died with its process is free again after that.
IDEMPOTENCY_RUNNING_S: Final = 120

_log = telemetry.get_logger(__name__)


def idempotent(view: F) -> F:
    """Answer a repeated request with the same Idempotency-Key as the first time, without doing it again.

    Kept for a day in Valkey, per caller and route; without Valkey requests are simply carried out.
    """

    @functools.wraps(view)
    def once(*args: Any, **kwargs: Any) -> Any:
        key = http.headers.get("Idempotency-Key")
        if not key:
            return view(*args, **kwargs)
        if len(key) > 255:
            raise BadRequest("an Idempotency-Key has at most 255 characters")
        # The reply is kept by _finish(), which sees it whole.
        slot = _idempotency_slot(key)
        fingerprint = hashlib.sha256(http.get_data(cache=True)).hexdigest()
        try:
            if not queue.valkey().set(slot, fingerprint, nx=True, ex=IDEMPOTENCY_RUNNING_S):
                return _repeat(slot, fingerprint)
        except redis.RedisError:
            return view(*args, **kwargs)
        g.idempotency = (slot, fingerprint)
        return view(*args, **kwargs)

    return once  # type: ignore[return-value]


def _idempotency_slot(key: str) -> str:
    caller = g.get("principal")
    who = f"{caller.kind}:{caller.key_id or caller.name}" if caller else "-"
    return f"once:{hashlib.sha256(f'{who}|{http.method}|{http.path}|{key}'.encode()).hexdigest()}"


def _repeat(slot: str, fingerprint: str) -> Response:
    kept = queue.valkey().get(slot)
    first, _, reply = (kept if isinstance(kept, bytes) else b"").partition(b"\n")
    if first.decode() != fingerprint:
        raise Invalid("this Idempotency-Key was used with another request", code="idempotency_mismatch")
    if not reply:
        raise Conflict("the first request with this Idempotency-Key is still running", code="in_progress")
    status, content_type, body = reply.split(b"\n", 2)
    return Response(body, int(status), {"Idempotent-Replayed": "true"}, content_type=content_type.decode())


def keep_reply(response: Response) -> None:
    """Keep the reply of a request that idempotent() let through; a failure of ours is free to be tried again."""
    slot, fingerprint = g.idempotency
    try:
        if response.status_code >= 500:
            queue.valkey().delete(slot)
            return
        head = f"{fingerprint}\n{response.status_code}\n{response.content_type}\n".encode()
        queue.valkey().set(slot, head + response.get_data(), ex=IDEMPOTENCY_TTL_S)
    except redis.RedisError:
        _log.warning("idempotency_not_kept")
