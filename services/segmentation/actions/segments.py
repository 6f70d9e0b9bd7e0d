"""Segments: made, changed, put away, previewed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.segmentation.actions.moments import moment_of
from services.segmentation.domain import rule_text, vocabulary
from services.segmentation.domain.rule_parser import MAX_NODES, parse
from services.segmentation.domain.rules import Rule, RuleError, as_json, count_parts, inline, lists_in, segments_in
from services.segmentation.store import insights, lists, memberships, segments
from services.segmentation.store.rules import matching
from services.segmentation.store.segments import Segment
from shared import audit
from shared.database import Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, NotFound
from shared.shop import read_shop

PREVIEW_TIMEOUT_MS: Final = 8_000
SAMPLE: Final = 10
MAX_SEGMENTS: Final = 500


@dataclass(frozen=True)
class Described:
    """A segment with its rule in words."""

    segment: Segment
    rule_text: dict[str, str]


def create(name: str, description: str, rule: object, customers: Collection[UUID] | None = None) -> Described:
    """Make a segment by its rule, or of listed `customers`; its members are found right after.

    Raises RuleError, Conflict.
    """
    segment_id = uuid7()
    with transaction() as tx:
        if customers is not None:
            lists.add(tx, segment_id, customers)
            rule = {"list": str(segment_id)}
        if len(segments.active(tx)) >= MAX_SEGMENTS:
            raise Conflict(f"there are {MAX_SEGMENTS} segments already; archive one first", code="too_many_segments")
        parsed = _checked(tx, rule, segment_id)
        segments.insert(tx, segment_id, name, description, as_json(parsed))
        after: dict[str, Any] = {"name": name, "description": description, "rule": as_json(parsed)}
        if customers is not None:
            after["customers"] = len(customers)
        audit.record(tx, "segment.create", ("segment", segment_id), after=after)
        tx.nudge("segmentation.refresh_segment", segment_id=segment_id)
        return _described(tx, segment_id)


def change(segment_id: UUID, name: str, description: str, rule: object, check: Callable[[int], None]) -> Described:
    """Change a segment. `check` is told its version and raises where the caller has seen another one.

    Raises RuleError, NameTakenError, NotFound.
    """
    with transaction() as tx:
        before = _in_use(tx, segment_id, lock=True)
        check(before.version)
        parsed = _checked(tx, rule, segment_id)
        segments.update(tx, segment_id, name, description, as_json(parsed))
        old = {"name": before.name, "description": before.description, "rule": before.rule}
        new = {"name": name, "description": description, "rule": as_json(parsed)}
        audit.record(tx, "segment.update", ("segment", segment_id), *audit.difference(old, new))
        if as_json(parsed) != before.rule:
            segments.mark_stale(tx, _speaking_of(tx, segment_id) | {segment_id})
            tx.nudge("segmentation.refresh_segment")
        return _described(tx, segment_id)


def archive(segment_id: UUID, check: Callable[[int], None]) -> None:
    """Put a segment away, after `check` as in change(); its members leave it.

    Raises Conflict while another segment speaks of it, NotFound.
    """
    with transaction() as tx:
        before = _in_use(tx, segment_id, lock=True)
        check(before.version)
        others = _speaking_of(tx, segment_id)
        if others:
            raise Conflict("another segment's rule speaks of this one; change that first", code="segment_in_use")
        segments.archive(tx, segment_id)
        audit.record(tx, "segment.delete", ("segment", segment_id), before={"name": before.name})
        segments.mark_stale(tx, [segment_id])
        tx.nudge("segmentation.refresh_segment", segment_id=segment_id)


def get(segment_id: UUID) -> Described:
    """One segment. Raises NotFound."""
    with transaction(read_only=True) as tx:
        return _described(tx, segment_id)


def page(after: UUID | None, limit: int, *, archived: bool) -> list[Described]:
    """Segments in the order they were made."""
    with transaction(read_only=True) as tx:
        currency = read_shop(tx).currency
        names = {one.segment_id: one.name for one in segments.active(tx)}
        found = segments.page(tx, after, limit, archived=archived)
        return [Described(one, rule_text.texts(parse(one.rule), currency, names)) for one in found]


def members(segment_id: UUID, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Who is in a segment. Raises NotFound."""
    with transaction(read_only=True) as tx:
        if segments.get(tx, segment_id) is None:
            raise _unknown(segment_id)
        return memberships.page(tx, segment_id, after, limit)


def preview(rule: object) -> dict[str, Any]:
    """How many customers a rule holds for now, and some of them. Raises RuleError, RuleTimeoutError."""
    with transaction(read_only=True) as tx:
        known, names = _known(tx)
        parsed = parse(rule)
        whole = inline(parsed, known)
        moment = moment_of(tx)
        with memberships.reading(tx, PREVIEW_TIMEOUT_MS):
            found = memberships.preview(tx, matching(whole, moment.context()), SAMPLE)
    said = rule_text.texts(parsed, moment.shop.currency, names)
    return {**found, "as_of": moment.as_of.isoformat(), "rule_text": said}


def rule_vocabulary() -> dict[str, Any]:
    """What a rule builder can offer: our words, and the events, traits and categories there are."""
    with transaction(read_only=True, timeout_ms=PREVIEW_TIMEOUT_MS) as tx:
        return {**vocabulary.described(), "events": insights.event_names(tx), **insights.known_values(tx)}


def _checked(tx: Transaction, rule: object, segment_id: UUID) -> Rule:
    """The rule, if it is one and can be inlined without speaking of itself."""
    parsed = parse(rule)
    known, _ = _known(tx)
    if missing := lists.unknown(tx, lists_in(parsed)):
        raise RuleError([{"path": "rule", "message": f"there is no list {one}"} for one in missing])
    whole = inline(parsed, {**known, segment_id: parsed}, frozenset({segment_id}))
    if count_parts(whole) > 5 * MAX_NODES:
        raise RuleError([{"path": "rule", "message": "with the segments it speaks of it has too many parts"}])
    return parsed


def _known(tx: Transaction) -> tuple[dict[UUID, Rule], dict[UUID, str]]:
    found = segments.active(tx)
    return {one.segment_id: parse(one.rule) for one in found}, {one.segment_id: one.name for one in found}


def _speaking_of(tx: Transaction, segment_id: UUID) -> set[UUID]:
    """The segments whose rules depend on this one, directly or through others."""
    direct = {one.segment_id: segments_in(parse(one.rule)) for one in segments.active(tx)}
    found: set[UUID] = set()
    reached = {segment_id}
    while reached:
        reached = {one for one, inner in direct.items() if inner & reached} - found
        found |= reached
    return found - {segment_id}


def _in_use(tx: Transaction, segment_id: UUID, *, lock: bool) -> Segment:
    segment = segments.get(tx, segment_id, lock=lock)
    if segment is None or segment.archived_at is not None:
        raise _unknown(segment_id)
    return segment


def _described(tx: Transaction, segment_id: UUID) -> Described:
    segment = segments.get(tx, segment_id)
    if segment is None:
        raise _unknown(segment_id)
    names = {one.segment_id: one.name for one in segments.active(tx)}
    return Described(segment, rule_text.texts(parse(segment.rule), read_shop(tx).currency, names))


def _unknown(segment_id: UUID) -> NotFound:
    return NotFound(f"there is no segment {segment_id}", code="segment_unknown")
