"""The plain events of a batch, taken by compiled loops; those that are not are judged one by one, as they come.

Loading this costs a process some 140 MB: actions/collect_batch.py says when.
"""

import msgspec
import numpy as np

from services.profile.actions import collect
from services.profile.actions.collect import Judged, Sender
from services.profile.domain import plain
from services.profile.domain.batches import Batch
from services.profile.domain.events import RefusedError, message_key, sealed_context
from services.profile.domain.messages import NO_CONTEXT, Arrival, holds_nul
from services.profile.domain.plain import Outline
from services.profile.store import intake, packing


def rows_of(
    body: bytes, batch: Batch, arrival: Arrival, sender: Sender, fields: bytes
) -> tuple[bytes, int, Judged] | None:
    """The rows of all events that can be taken, how many these are, and what came of those that are not plain.

    `fields`: what all rows begin with. None where something is said of the whole request that makes none plain.
    """
    found = _outline(body, batch, arrival)
    if found is None:
        return None
    judged = Judged([], [])
    rows = _rows(body, found, arrival, sender, fields, judged)
    return rows, int(found.is_plain.sum()) + len(judged.accepted), judged


def _outline(body: bytes, batch: Batch, arrival: Arrival) -> Outline | None:
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
    """All that can be taken, in its order."""
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
