"""Rendered messages for a look at them: kept for minutes, sealed, for the person who asked only.

A message brings styles of its own, which the console's policy refuses; so it is shown in a frame with a document and
a policy of its own, and the frame has to fetch it from somewhere.
"""

import secrets
from typing import Final

import redis

from services.console.actions.sessions import Person
from shared import queue
from shared.crypto import SealError, seal, unseal

KEPT_S: Final = 300
_LONGEST: Final = 2_000_000


def keep(person: Person, html: str) -> str | None:
    """Keep a rendered message for a few minutes; returns its token, None where Valkey does not answer."""
    token = secrets.token_urlsafe(18)
    try:
        queue.valkey().set(_slot(person, token), seal(html[:_LONGEST]), ex=KEPT_S)
    except redis.RedisError:
        return None
    return token


def find(person: Person, token: str) -> str | None:
    """The message behind a token of this person; None where it has gone."""
    try:
        kept = queue.valkey().get(_slot(person, token))
        return unseal(kept.decode()) if isinstance(kept, bytes) else None
    except (redis.RedisError, SealError):
        return None


def _slot(person: Person, token: str) -> str:
    return f"preview:{person.user_id}:{token}"
