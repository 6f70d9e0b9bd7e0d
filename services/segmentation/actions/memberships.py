"""Keeping memberships true to the rules."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from services.segmentation.actions.moments import Moment, moment_of
from services.segmentation.domain.rule_parser import parse
from services.segmentation.domain.rules import Rule, RuleError, inline
from services.segmentation.store import memberships, segments
from services.segmentation.store.memberships import Changes, RuleTimeoutError
from services.segmentation.store.rules import matching_each
from services.segmentation.store.segments import Segment
from shared import log, telemetry
from shared.database import Transaction, transaction

TOUCHED_TIMEOUT_MS: Final = 5_000
REFRESH_TIMEOUT_MS: Final = 60_000
TOGETHER: Final = 200  # segments in one statement: people are read once for all of them

_log = telemetry.get_logger(__name__)


def claim(tx: Transaction, patience_s: float = 0.0) -> bool:
    """Become the one who writes features and memberships, until this transaction ends; waits up to `patience_s`."""
    return log.claim(tx, memberships.LOG, patience_s)


def follow(tx: Transaction, customers: Sequence[UUID], moment: Moment) -> None:
    """Bring the memberships of these customers up to date in all segments. The caller holds the claim.

    A segment that cannot be evaluated is left to its refresh.
    """
    rules = {segment.segment_id: rule for segment, rule in rules_in_use(tx)}
    for start in range(0, len(rules), TOGETHER):
        some = dict(islice(rules.items(), start, start + TOGETHER))
        try:
            _follow(tx, some, customers, moment)
        except RuleTimeoutError:
            _follow_one_by_one(tx, some, customers, moment)


def _follow(tx: Transaction, rules: Mapping[UUID, Rule], customers: Sequence[UUID], moment: Moment) -> None:
    with memberships.reading(tx, TOUCHED_TIMEOUT_MS):
        query = matching_each(rules, moment.context(customers))
        found = memberships.changes(tx, rules, query, customers)
    memberships.apply(tx, found, moment.as_of)


def _follow_one_by_one(tx: Transaction, rules: Mapping[UUID, Rule], customers: Sequence[UUID], moment: Moment) -> None:
    """One of them is too slow for all: only that one is left out."""
    for segment_id, rule in rules.items():
        try:
            _follow(tx, {segment_id: rule}, customers, moment)
        except RuleTimeoutError as error:
            segments.mark_failed(tx, segment_id, str(error))


def refresh(segment_id: UUID) -> bool:
    """Find all members of one segment anew, if it waits for that; False when another is at work: to the next sweep."""
    with transaction() as tx:
        if not claim(tx, patience_s=5.0):
            return False
        _refresh(tx, segment_id)
    return True


def refresh_next(tx: Transaction) -> bool:
    """Find the members of one segment that waits for that, a new one first. The caller holds the claim.

    False where none waits.
    """
    waiting = segments.stale_ids(tx)
    if waiting:
        _refresh(tx, waiting[0])
    return bool(waiting)


def refresh_stale() -> int:
    """Refresh every segment that waits for it; returns how many there were."""
    with transaction(read_only=True) as tx:
        waiting = segments.stale_ids(tx)
    for segment_id in waiting:
        refresh(segment_id)
    return len(waiting)


def _refresh(tx: Transaction, segment_id: UUID) -> None:
    """One that fails is tried again after a minute."""
    segment = segments.get(tx, segment_id)
    if segment is None or not segment.stale:
        return
    moment = moment_of(tx)
    try:
        with tx.savepoint():
            memberships.apply(tx, _all_changes(tx, segment, moment), moment.as_of)
            segments.mark_refreshed(tx, segment_id, segment.version, moment.as_of)
    except (RuleTimeoutError, RuleError) as error:
        _log.warning("segment_not_refreshed", segment_id=str(segment_id), error=str(error))
        segments.mark_failed(tx, segment_id, str(error))
    # Whatever it is: one segment must not hold up the others, nor the customers after it.
    except Exception as error:  # noqa: BLE001
        _log.exception("segment_not_refreshed", segment_id=str(segment_id))
        segments.mark_failed(tx, segment_id, f"an unexpected error ({type(error).__name__}); it will be tried again")


def rules_in_use(tx: Transaction) -> list[tuple[Segment, Rule]]:
    """The segments in use with their rules, the segments in those inlined; broken ones are left out and noted."""
    found = segments.active(tx)
    parsed = {segment.segment_id: parse(segment.rule) for segment in found}
    usable = []
    for segment in found:
        try:
            usable.append((segment, inline(parsed[segment.segment_id], parsed)))
        except RuleError as error:
            segments.mark_failed(tx, segment.segment_id, str(error))
    return usable


def _all_changes(tx: Transaction, segment: Segment, moment: Moment) -> Changes:
    if segment.archived_at is not None:
        return memberships.leavers(tx, segment.segment_id)
    known = {one.segment_id: parse(one.rule) for one in segments.active(tx)}
    rule = inline(known[segment.segment_id], known)
    with memberships.reading(tx, REFRESH_TIMEOUT_MS):
        query = matching_each({segment.segment_id: rule}, moment.context())
        return memberships.changes(tx, [segment.segment_id], query, None)
