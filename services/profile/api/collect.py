"""The collector: Segment's HTTP tracking API. Its clients work unchanged."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, Final

import msgspec
from flask import Response
from flask import request as http

from services.profile.actions import collect as actions
from services.profile.actions.collect import SERVER_LIMITS, Outcome, Sender
from services.profile.actions.collect_batch import collect_batch
from services.profile.domain.batches import Batch, UnreadableError, write_key_of
from services.profile.schemas.events import BatchBody, Collected, EventBody
from shared import auth
from shared.blueprint import Blueprint
from shared.problems import BadRequest, Forbidden, TooLarge, TooMany
from shared.web import json_bytes

blp = Blueprint("collect", __name__, url_prefix="/v1", description="Segment's tracking API: events in")

# An import is large and in no hurry. More at a time would leave a live event neither a thread nor the interpreter:
# beside eight it waited many times as long as beside two, and the eight together were no quicker.
IMPORTS_AT_A_TIME: Final = 2
_importing: Final = BoundedSemaphore(IMPORTS_AT_A_TIME)

_GUARD: Final = "the key in the header, the query or the body; events:collect or events:import"


# Browsers ask from the shop's own pages, with a key that is public and without cookies: any page may, as Segment's may.
_ANY_PAGE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, AnonymousId, X-Write-Key",
    "Access-Control-Max-Age": "86400",
}


class _Single(msgspec.Struct, rename="camel"):
    """What is read of a body with one event before the event itself is judged."""

    write_key: Any = None


_single: Final = msgspec.json.Decoder(_Single)


@blp.after_request
def _open_to_pages(response: Response) -> Response:
    if not http.path.endswith("/import"):  # servers' business
        response.headers.update(_ANY_PAGE)
    return response


@blp.post("/track")
@blp.doc(requestBody={"content": {"application/json": {"schema": EventBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def track() -> Response:
    """What a customer did: an event with a name and properties."""
    return _one("track")


@blp.post("/identify")
@blp.doc(requestBody={"content": {"application/json": {"schema": EventBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def identify() -> Response:
    """Who a customer is: ids and traits."""
    return _one("identify")


@blp.post("/page")
@blp.doc(requestBody={"content": {"application/json": {"schema": EventBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def page() -> Response:
    """A page that was looked at."""
    return _one("page")


@blp.post("/screen")
@blp.doc(requestBody={"content": {"application/json": {"schema": EventBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def screen() -> Response:
    """A screen of an app that was looked at."""
    return _one("screen")


@blp.post("/group")
@blp.doc(requestBody={"content": {"application/json": {"schema": EventBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def group() -> Response:
    """The company or group a customer belongs to."""
    return _one("group")


@blp.post("/alias")
@blp.doc(requestBody={"content": {"application/json": {"schema": EventBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def alias() -> Response:
    """Two ids of one customer: previousId is userId from now on."""
    return _one("alias")


@blp.post("/batch")
@blp.doc(requestBody={"content": {"application/json": {"schema": BatchBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def batch() -> Response:
    """Many events at once. A bad one is set aside (GET /v1/rejected-events) and does not cost the others."""
    return _many(imported=False)


@blp.post("/import")
@blp.doc(requestBody={"content": {"application/json": {"schema": BatchBody}}})
@blp.alt_response(200, schema=Collected)
@auth.guarded(_GUARD)
def import_history() -> Response:
    """Like batch, for events of the past: they update history and start no message, journey or alert.

    A process takes two at a time, so that no live event waits for many: another one is told 429 and when to try again.
    """
    return _many(imported=True)


def _one(kind: str) -> Response:
    caller, body = _read(imported=False)
    if caller is None:
        caller = _caller(_key_within(body), imported=False)
    sender = _sender(caller, imported=False, kind=kind)
    if len(body) > sender.limits.event:
        raise TooLarge(f"one event has at most {sender.limits.event:,} bytes with this key; this one has {len(body):,}")
    outcome = actions.collect(Batch([body]), sender)
    if outcome.refused:
        # Alone in its request, so the sender can be told; it is set aside all the same.
        reason = outcome.refused[0].reason
        raise BadRequest(
            reason.message,
            code=reason.code,
            errors=[{"path": reason.path, "message": reason.message}],
        )
    return _answer(outcome)


def _many(*, imported: bool) -> Response:
    caller, body = _read(imported=imported)
    if caller is None:
        caller = _caller(_key_within(body) or write_key_of(body), imported=imported)
    sender = _sender(caller, imported=imported)
    if len(body) > sender.limits.request:
        raise _too_large(sender.limits.request)
    try:
        with _turn(imported=imported):
            outcome = collect_batch(body, sender)
    except UnreadableError as error:
        raise BadRequest(str(error), code="unreadable") from error
    return _answer(outcome)


@contextmanager
def _turn(*, imported: bool) -> Iterator[None]:
    """Live events always have it. Raises TooMany for an import beyond those at work; it must not wait in a thread."""
    if not imported:
        yield
    elif not _importing.acquire(blocking=False):
        raise TooMany("others are importing at the moment; try again in a second", retry_after=1)
    else:
        try:
            yield
        finally:
            _importing.release()


def _answer(outcome: Outcome) -> Response:
    if not outcome.refused:
        return Response(b'{"success":true}', 200, content_type="application/json")
    return json_bytes(
        {
            "success": True,
            "accepted": outcome.accepted,
            "rejected": len(outcome.refused),
            "errors": actions.problems(outcome.refused[:20]),
        }
    )


def _read(*, imported: bool) -> tuple[auth.Principal | None, bytes]:
    """The caller, if the request names its key outside the body, and the body, uncompressed and within the limits."""
    secret = auth.credential() or http.args.get("writeKey")
    caller = _caller(secret, imported=imported) if secret else None
    limit = _sender(caller, imported=imported).limits.request if caller else SERVER_LIMITS.request
    if (http.content_length or 0) > limit:
        raise _too_large(limit)
    body = http.get_data(cache=False)
    encoding = http.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate") or body[:2] == b"\x1f\x8b":
        body = _inflate(body, limit)
    elif encoding not in ("", "identity"):
        raise BadRequest("only gzip and deflate are understood as Content-Encoding", code="bad_encoding")
    if len(body) > limit:
        raise _too_large(limit)
    return caller, body


def _inflate(body: bytes, limit: int) -> bytes:
    """Uncompress, but not further than `limit`: a small body must not unfold into a huge one."""
    inflater = zlib.decompressobj(wbits=47)  # gzip or zlib, by its header
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadRequest("the body is not compressed as its Content-Encoding says", code="bad_encoding") from error
    if len(plain) <= limit and not inflater.eof:
        raise BadRequest("the compressed body is cut off", code="bad_encoding")
    return plain


def _caller(secret: str | None, *, imported: bool) -> auth.Principal:
    caller = auth.authenticate(secret)
    scope = "events:import" if imported else "events:collect"
    if not caller.may(scope):
        raise Forbidden(f"this key may not do this; it needs the scope {scope}")
    return caller


def _sender(caller: auth.Principal, *, imported: bool, kind: str | None = None) -> Sender:
    return Sender(caller.name, caller.key_id, caller.trusted, imported, kind)


def _key_within(body: bytes) -> str | None:
    try:
        key = _single.decode(body).write_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return key if isinstance(key, str) else None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a request has at most {limit:,} bytes (uncompressed) with this key; send smaller batches")
