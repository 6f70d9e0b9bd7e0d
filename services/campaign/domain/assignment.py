"""Who is held out: decided by a hash, so that the same salt always holds out the same people."""

import hashlib
from typing import Final
from uuid import UUID

MAX_SHARE: Final = 0.5
_SPACE: Final = 2**32


def bucket(salt: str, customer_id: UUID) -> int:
    """The customer's place in [0, 2^32): the first four bytes of SHA-256 of `salt:customer id`.

    store.audience computes the same in SQL; a test holds the two together.
    """
    return int.from_bytes(hashlib.sha256(f"{salt}:{customer_id}".encode()).digest()[:4])


def threshold(share: float) -> int:
    """Customers in buckets below this are held out."""
    if not 0 <= share <= MAX_SHARE:
        raise ValueError(f"a holdout has a share between 0 and {MAX_SHARE:.0%}")
    return round(share * _SPACE)


def held_out(salt: str, customer_id: UUID, share: float) -> bool:
    """Whether this customer gets nothing, to compare with."""
    return bucket(salt, customer_id) < threshold(share)
