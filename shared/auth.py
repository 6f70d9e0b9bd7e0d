"""Who is calling, and may they: API keys (from the console's published view), short service tokens, scopes.

Every route carries require(), public() or guarded(); a test walks all routes and fails where one does not.
"""

import base64
import binascii
import functools
import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import jwt
from flask import current_app, g, has_request_context
from flask import request as http

from shared import contracts, crypto
from shared.database import statement
from shared.problems import Forbidden, TooMany, Unauthorized

F = TypeVar("F", bound=Callable[..., Any])

KEY_CACHE_S: Final = 3.0  # a revoked key stops within this time
TOKEN_TTL_S: Final = 60
_ALGORITHM: Final = "HS256"
# Requests per second and process that one key may make, by kind; generous, to stop a runaway, not to sell tiers.
_RATES: Final = {"collect": 500, "storefront": 500, "server": 2000, "admin": 2000}


@dataclass(frozen=True)
class Principal:
    """An authenticated caller. `kind`: key, service or user (a person behind the console)."""

    kind: str
    name: str
    scopes: frozenset[str]
    key_kind: str = ""
    key_id: UUID | None = None

    def may(self, scope: str) -> bool:
        """Whether `scope` (subject:action) is held, by itself or through `*` or `subject:*`."""
        return "*" in self.scopes or scope in self.scopes or f"{scope.partition(':')[0]}:*" in self.scopes

    @property
    def trusted(self) -> bool:
        """Whether its claims about customers are believed: everyone but the browser-safe keys."""
        return self.key_kind not in ("collect", "storefront")


def require(scope: str) -> Callable[[F], F]:
    """Let only callers with `scope` reach the view. 401 without a good credential, 403 without the scope."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            caller = authenticate(credential())
            if not caller.may(scope):
                raise Forbidden(f"this {_described(caller)} may not do this; it needs the scope {scope}")
            g.principal = caller
            return view(*args, **kwargs)

        checked.guard = scope  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def public(view: F) -> F:
    """Mark a view that anybody may reach (tracked links, login, health)."""
    view.guard = "public"  # type: ignore[attr-defined]
    return view


def guarded(by: str) -> Callable[[F], F]:
    """Mark a view that checks its caller by other means; `by` names them (the collector, console sessions)."""

    def decorate(view: F) -> F:
        view.guard = by  # type: ignore[attr-defined]
        return view

    return decorate


def principal() -> Principal:
    """The caller of this request. Only inside a view behind require()."""
    caller: Principal = g.principal
    return caller


def credential() -> str | None:
    """The key or token of this request: Bearer, Basic user name, or X-Write-Key. None where there is none."""
    header = http.headers.get("Authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer" and rest:
        return rest.strip()
    if scheme.lower() == "basic" and rest:
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unauthorized("the Basic credential is not readable") from error
    return http.headers.get("X-Write-Key")


def authenticate(secret: str | None) -> Principal:
    """The caller behind a key or a service token. Raises Unauthorized, or TooMany for a key that runs away."""
    if not secret:
        raise Unauthorized("send an API key as a Bearer token or as the user name of Basic authentication")
    if secret.startswith("zk_"):
        return _by_key(secret)
    return _by_token(secret)


def service_token(issuer: str, audience: str, *, user: str | None = None, scopes: Iterable[str] = ("*",)) -> str:
    """A token with which `issuer` may call `audience` for a minute; `user` where it acts for a person."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": audience, "iat": now, "exp": now + TOKEN_TTL_S, "scopes": sorted(scopes)}
    if user is not None:
        claims["sub"] = user
    return jwt.encode(claims, crypto.signing_key("service-token"), algorithm=_ALGORITHM)


def hash_key(secret: str) -> bytes:
    """What is stored of a key: SHA-256 (the keys are 256 random bits, so no salt or stretching is needed)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _by_token(token: str) -> Principal:
    try:
        claims = jwt.decode(
            token,
            crypto.signing_key("service-token"),
            algorithms=[_ALGORITHM],
            audience=current_app.config["SERVICE"] if has_request_context() else None,
            options={"require": ["exp", "aud", "iss"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise Unauthorized("the token has expired", code="token_expired") from error
    except jwt.PyJWTError as error:
        raise Unauthorized("the key or token is not valid", code="token_invalid") from error
    user = claims.get("sub")
    return Principal("user" if user else "service", user or claims["iss"], frozenset(claims.get("scopes", ())))


_keys: dict[bytes, tuple[float, Principal | None]] = {}
_keys_lock = threading.Lock()


def _by_key(secret: str) -> Principal:
    digest = hash_key(secret)
    cached = _keys.get(digest)
    if cached is None or time.monotonic() - cached[0] > KEY_CACHE_S:
        cached = (time.monotonic(), _load_key(digest))
        with _keys_lock:
            if len(_keys) > 10_000:  # guesses must not fill the memory
                _keys.clear()
            _keys[digest] = cached
    caller = cached[1]
    if caller is None:
        raise Unauthorized("this API key is unknown or revoked", code="key_invalid")
    _count(caller)
    return caller


# Key -> (second, requests in it), of this process. A library's limiter was tried: it starts a timer thread for its
# windows, which cost more than the request it guarded.
_windows: dict[UUID | None, tuple[int, int]] = {}


def _count(caller: Principal) -> None:
    second = int(time.monotonic())
    with _keys_lock:
        since, count = _windows.get(caller.key_id, (second, 0))
        count = count + 1 if since == second else 1
        _windows[caller.key_id] = (second, count)
    if count > _RATES[caller.key_kind]:
        raise TooMany("this key makes too many requests", retry_after=1)


def forget_keys() -> None:
    """Drop the cache of keys (after a key was revoked in this process; for tests)."""
    _keys.clear()


def _load_key(digest: bytes) -> Principal | None:
    with statement() as tx:
        row = tx.one(
            "SELECT key_id, kind, name, scopes, revoked_at FROM console_out.api_keys_v1 WHERE key_hash = %(digest)s",
            {"digest": digest},
        )
    if row is None or row["revoked_at"] is not None:
        return None
    scopes = frozenset(row["scopes"] or ()) or contracts.KEY_SCOPES[row["kind"]]
    return Principal("key", row["name"], scopes, row["kind"], row["key_id"])


def _described(caller: Principal) -> str:
    return f"{caller.key_kind} key" if caller.kind == "key" else caller.kind
