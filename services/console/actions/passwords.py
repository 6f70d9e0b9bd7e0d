"""Hashing of passwords: argon2id with the parameters of RFC 9106's second recommendation (64 MiB, 3 passes)."""

import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher: Final = PasswordHasher()
# Checked when nobody has the address, so that the answer takes as long as for somebody who does.
_NOBODY: Final = _hasher.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """The PHC string to keep of a password."""
    return _hasher.hash(password)


def verify(kept: str | None, password: str) -> bool:
    """Whether `password` is the one behind `kept`; False, after the same work, where there is none."""
    try:
        _hasher.verify(kept or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def generate() -> str:
    """A password nobody can guess, for a first log-in."""
    return secrets.token_urlsafe(15)
