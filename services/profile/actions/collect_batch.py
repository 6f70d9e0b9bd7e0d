"""Taking many events in at once: the plain ones, which nearly all are, by compiled loops, the others one by one.

A module of its own: only who collects batches loads the loops.
"""

from datetime import UTC, datetime

import msgspec
import numpy as np

from services.profile.actions import collect
from services.profile.actions.collect import Judged, Outcome, Sender
from services.profile.domain import plain
from services.profile.domain.batches import Batch, read_batch
from services.profile.domain.events import RefusedError, message_key, sealed_context
from services.profile.domain.messages import NO_CONTEXT, Arrival, holds_nul
from services.profile.domain.plain import Outline
from services.profile.store import intake, packing
from shared.shop import shop


def collect_batch(body: bytes, sender: Sender) -> Outcome:
    """Check and keep the events in the body of a batch request. When this returns they are committed.

    Raises UnreadableError.
    """
    received_at = datetime.now(UTC)
    batch = read_batch(body)
    arrival = collect.arrival_of(batch, sender, received_at, sender.limits.event, shop().region)
    judged, fields = Judged([], []), collect.fields_of(sender, received_at)
    found = _outline(body, batch, arrival)
    if found is None:
        for event in batch.events:
            collect.judge(bytes(event), arrival, sender, judged)
        rows, accepted = intake.rows(judged.accepted, fields), len(judged.accepted)
    else:
        rows = _rows(body, found, arrival, sender, fields, judged)
        accepted = int(found.is_plain.sum()) + len(judged.accepted)
    return collect.keep_all(rows, accepted, judged.refused, batch, sender, received_at)


def _outline(body: bytes, batch: Batch, arrival: Arrival) -> Outline | None:
    """Where the plain events are; None where something is said of the whole request that makes none of them plain."""
    if batch.cut or arrival.offset or arrival.integrations:
        return None
    try:
        body.decode()  # msgspec looks at no text that it only passes by
    except UnicodeDecodeError:
        return None
    found = plain.outline(body, len(batch.events), arrival.received)
    if found is not None:
        np.logical_and(found.is_plain, found.bounds[:, 1] - found.bounds[:, 0] <= arrival.largest, out=found.is_plain)
    return found


def _rows(body: bytes, found: Outline, arrival: Arrival, sender: Sender, fields: bytes, judged: Judged) -> bytes:
    """The rows of all events that can be taken, in their order; those that are not plain are judged as they come."""
    contexts = _contexts(body, found, arrival)
    keys = b"".join([message_key(arrival, message_id) for message_id in plain.message_ids(body, found)])
    rows, ends = packing.pack(body, found, keys, contexts, fields)
    pieces, begin = [], 0
    for number in np.flatnonzero(~found.is_plain).tolist():
        first, last = found.bounds[number]
        taken = len(judged.accepted)
        collect.judge(body[first:last], arrival, sender, judged)
        pieces += [rows[begin : ends[number]], intake.rows(judged.accepted[taken:], fields)]
        begin = ends[number]
    return b"".join([*pieces, rows[begin:]]) if pieces else rows


def _contexts(body: bytes, found: Outline, arrival: Arrival) -> list[bytes]:
    """What is kept of each context, the first for events without one. Events whose context is refused are not plain."""
    kept = [bytes(sealed_context(NO_CONTEXT, arrival)) if arrival.context else b""]
    for number, (begin, end) in enumerate(found.contexts.tolist()):
        own = body[begin:end]
        try:
            kept.append(bytes(sealed_context(msgspec.Raw(own), arrival)))
        except RefusedError:  # it will be said of each of these events
            kept.append(b"")
        if not kept[-1] or holds_nul(own):
            found.is_plain[found.context_of == number] = False
    return kept
