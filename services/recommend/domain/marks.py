"""Ids of answers that say which slot, strategy and variant they came from, so that no answer has to be written down.

A UUIDv7 ends in 62 random bits. An answer of a slot keeps 22 of them; 20 are the number of its context (a row for each
slot, strategy, experiment and variant that has ever served), and 20 a keyed check, so that an id somebody made up names
none (but one in a million).
"""

import hashlib
from typing import Final
from uuid import UUID

MOST_CONTEXTS: Final = 1 << 20
_BITS: Final = 20
_MASK: Final = (1 << _BITS) - 1


def marked(answer: UUID, context: int, key: bytes) -> UUID:
    """The id of an answer, with the number of its context in it."""
    head = answer.int >> 2 * _BITS
    return UUID(int=(head << _BITS | context) << _BITS | _check(head, context, key))


def context_of(answer: UUID, key: bytes) -> int | None:
    """The number in an id; None where it was not marked by us (an answer without a slot, somebody else's id)."""
    head, context, check = answer.int >> 2 * _BITS, answer.int >> _BITS & _MASK, answer.int & _MASK
    return context if check == _check(head, context, key) else None


def _check(head: int, context: int, key: bytes) -> int:
    told = (head << _BITS | context).to_bytes(14, "big")
    return int.from_bytes(hashlib.blake2b(told, key=key, digest_size=3).digest(), "big") & _MASK
