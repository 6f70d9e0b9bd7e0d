"""Reading profile's log: facts first, then the customers they touch."""

import time
from typing import Final

from services.segmentation.actions.customers import bring_up_to_date
from services.segmentation.actions.memberships import claim, refresh_next
from services.segmentation.actions.moments import moment_of
from services.segmentation.domain.facts import gather
from services.segmentation.store import facts
from shared.database import transaction

BATCH: Final = 5000
# Far behind, as in an import, the same customers come up again and again: compute them every so many batches.
MOST_BATCHES: Final = 40
MANY_BATCHES: Final = 10
# So many at a time, that nobody waits long for those before them.
CUSTOMERS: Final = 3_000
PATIENCE_S: Final = 2.0
A_MOMENT_S: Final = 0.05


def read_events() -> None:
    """Read all there is in the log and bring the customers it touches up to date.

    While another worker computes, this one goes on reading: the log is not left alone for the time of a computation.
    """
    given_up_at = time.monotonic() + PATIENCE_S
    while True:
        behind = read_facts()
        if bring_touched_up_to_date(A_MOMENT_S):
            if not behind:
                return
            given_up_at = time.monotonic() + PATIENCE_S
        elif time.monotonic() > given_up_at:
            return


def read_facts() -> bool:
    """Read up to MOST_BATCHES batches, cursor included each in its transaction; whether there may be more."""
    batches = 0
    while batches < MOST_BATCHES and _read_batch() == BATCH:
        batches += 1
    if batches >= MANY_BATCHES:
        with transaction() as tx:
            facts.take_stock(tx)
    return batches == MOST_BATCHES


def bring_touched_up_to_date(patience_s: float = PATIENCE_S) -> bool:
    """Compute features, scores and memberships of everyone whose facts have changed.

    A segment that somebody has just saved comes before the next customers, whoever takes the claim next: its own task
    may find every child of the worker busy here, and while events keep coming this does not end. They take turns.

    False: another worker is at it for longer than our patience; what is left then is found by the next sweep.
    """
    customers_next = False
    while True:
        with transaction() as tx:
            if not claim(tx, patience_s):
                return False
            if not customers_next and refresh_next(tx):
                customers_next = True
                continue
            customers_next = False
            moment = moment_of(tx)
            customers, more = facts.take_due(tx, moment.as_of, CUSTOMERS)
            if customers:
                bring_up_to_date(tx, customers, moment)
        if not more:
            return True


def _read_batch() -> int:
    with transaction() as tx:
        entries = facts.next_entries(tx, BATCH)
        if entries:
            moment = moment_of(tx)
            found = gather(entries, moment.shop.currency, moment.as_of)
            facts.add_facts(tx, found)
            if found.identities:
                facts.move_identities(tx, found.identities)
            if found.order_keys:
                facts.settle_versions(tx, found.order_keys)
            facts.touch(tx, found)
    return len(entries)
