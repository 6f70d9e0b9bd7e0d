"""Counting attempts: of passwords, of codes, of asking for a link. What is guessed at has an end."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.console.domain import logins as rules
from services.console.store import attempts as store
from shared.crypto import blind_index
from shared.database import Transaction, transaction
from shared.problems import TooMany
from shared.telemetry import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One attempt that has begun, against whom and from where; it counts as failed until it is taken back."""

    subjects: dict[str, str]
    at: datetime

    def succeeded(self, tx: Transaction) -> None:
        """Take it back, and the failures of this person before it."""
        store.clear(tx, self.subjects, self.at)


def begin(email_index: str, address: str) -> Attempt:
    """Count one attempt to get in. Raises TooMany.

    Counted as failed before it is tried: a hundred guesses at once must not all pass a count of zero.
    """
    now = datetime.now(UTC)
    subjects = {"user": email_index, "address": blind_index("address", address)}
    with transaction() as tx:
        if closed(tx, subjects, now):
            _log.warning("login_blocked")
            raise TooMany(
                "too many attempts to log in; wait a quarter of an hour",
                code="login_blocked",
                retry_after=int(rules.WINDOW.total_seconds()),
            )
    return Attempt(subjects, now)


def closed(tx: Transaction, subjects: dict[str, str], now: datetime) -> frozenset[str]:
    """The kinds for which the door is closed; where it is open to all of them, the attempt is counted."""
    store.lock_subjects(tx, subjects)
    full = rules.too_many(store.count(tx, subjects, now - rules.WINDOW))
    if not full:
        store.add(tx, subjects, now)
    return full
