"""Taking events in: each is checked by itself, the good ones are durable before we answer, the bad ones set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.profile.domain import times
from services.profile.domain.batches import Batch
from services.profile.domain.events import Accepted, RefusedError, read_event
from services.profile.domain.messages import Arrival
from services.profile.store import intake as store
from services.profile.store import rejected
from services.profile.store.failures import is_fault_of_the_data
from shared import contracts, crypto, metrics
from shared.database import Transaction, statement, transaction
from shared.ids import uuid7
from shared.shop import shop
from shared.together import Together

KIB: Final = 1024
ROUNDS_AT_ONCE: Final = 2  # while one waits for the disk, another is written
_ACCEPTED: Final = metrics.counter("zhike_events_accepted_total", "Events that were kept before they were answered.")
_REFUSED: Final = metrics.counter("zhike_events_refused_total", "Events that were set aside with a reason.")


@dataclass(frozen=True)
class Limits:
    """Bytes, uncompressed."""

    event: int
    request: int


PUBLIC_LIMITS: Final = Limits(event=32 * KIB, request=500 * KIB)
SERVER_LIMITS: Final = Limits(event=1024 * KIB, request=4096 * KIB)


@dataclass(frozen=True)
class Sender:
    """Who sent a request, as far as its events are concerned. `kind`: the type its address named."""

    source: str
    key_id: UUID | None
    trusted: bool
    imported: bool = False
    kind: str | None = None

    @property
    def limits(self) -> Limits:
        """What this sender may send at once."""
        return SERVER_LIMITS if self.trusted or self.imported else PUBLIC_LIMITS


@dataclass(frozen=True)
class Refused:
    """An event that was set aside."""

    rejected_id: UUID
    body: bytes
    reason: RefusedError


@dataclass(frozen=True)
class Judged:
    """Events of a request that can be taken, and those that cannot."""

    accepted: list[Accepted]
    refused: list[Refused]


@dataclass(frozen=True)
class Outcome:
    """What became of the events of a request: how many are kept, and those that were set aside."""

    accepted: int
    refused: list[Refused]


def collect(batch: Batch, sender: Sender) -> Outcome:
    """Check and keep the events of one request. When this returns they are committed."""
    received_at = datetime.now(UTC)
    judged = read(batch, sender, received_at, sender.limits.event, shop().region)
    rows = store.rows(judged.accepted, fields_of(sender, received_at))
    return keep_all(rows, len(judged.accepted), judged.refused, batch, sender, received_at)


def keep_all(
    rows: bytes, accepted: int, refused: list[Refused], batch: Batch, sender: Sender, received_at: datetime
) -> Outcome:
    """Write the rows of so many accepted events, and set the refused ones aside; durably, all or nothing."""
    if refused:
        with transaction() as tx:
            _write(tx, [rows] if accepted else [], imported=sender.imported)
            rejected.add(tx, [_set_aside(item, batch, sender, received_at) for item in refused])
        _REFUSED.inc(len(refused))
    elif accepted and sender.imported:
        with transaction() as tx:
            _write(tx, [rows], imported=True)
    elif accepted:
        _intake.do(rows)
    _ACCEPTED.inc(accepted)
    return Outcome(accepted, refused)


def _put(requests: list[bytes]) -> None:
    """Write the rows of all requests that came together."""
    with statement() as tx:  # one COPY: all or nothing, and durable, by itself
        store.put(tx, requests)
        tx.nudge(contracts.INTAKE_GREW)


# The requests that this process has at the same time are written by one statement and one commit; each is answered
# after that. Should the rows of one be refused, the others are written without it.
_intake: Final = Together(_put, divides=is_fault_of_the_data, at_once=ROUNDS_AT_ONCE)


def read(batch: Batch, sender: Sender, received_at: datetime, largest: int, region: str) -> Judged:
    """Judge the events of a request one by one. `largest`: bytes an event may have; `region`: the shop's."""
    arrival = arrival_of(batch, sender, received_at, largest, region)
    judged = Judged([], [])
    for event in batch.events:
        judge(bytes(event), arrival, sender, judged)
    return judged


def judge(event: bytes, arrival: Arrival, sender: Sender, judged: Judged) -> None:
    """Add one event to those that are accepted or refused."""
    try:
        judged.accepted.append(read_event(event, arrival, sender.kind))
    except RefusedError as reason:
        judged.refused.append(Refused(uuid7(), event, reason))


def keep(tx: Transaction, arrived: Sequence[tuple[Sequence[Accepted], Sender, datetime]]) -> None:
    """Write accepted events, each with its sender and when it came, into the intake; wake the appender after that."""
    for imported in (False, True):
        some = [one for one in arrived if one[0] and one[1].imported is imported]
        _write(tx, [store.rows(accepted, fields_of(sender, at)) for accepted, sender, at in some], imported=imported)


def _write(tx: Transaction, requests: Sequence[bytes], *, imported: bool) -> None:
    if requests:
        (store.put_imported if imported else store.put)(tx, requests)
        tx.nudge(contracts.INTAKE_GREW)


def fields_of(sender: Sender, received_at: datetime) -> bytes:
    """What all rows of a request begin with."""
    return store.sender_fields(
        received_at=received_at,
        key_id=sender.key_id,
        source=sender.source,
        trusted=sender.trusted,
        imported=sender.imported,
    )


def arrival_of(batch: Batch, sender: Sender, received_at: datetime, largest: int, region: str) -> Arrival:
    """What is known of a request beside its events."""
    received = times.micros(received_at)
    return Arrival(
        received=received,
        # An import tells of the past: its sentAt, if any, is history too and says nothing about a clock.
        offset=0 if sender.imported else times.clock_offset(_instant(batch.sent_at), received),
        region=region,
        trusted=sender.trusted,
        imported=sender.imported,
        largest=largest,
        seal=crypto.seal,
        index=crypto.blind_index,
        new_id=_message_id,
        context=batch.context,
        integrations=batch.integrations,
    )


def _message_id() -> str:
    return str(uuid7())


def _instant(text: str | None) -> int | None:
    try:
        return times.parse(text) if text else None
    except times.TimeError:
        return None


def _set_aside(item: Refused, batch: Batch, sender: Sender, received_at: datetime) -> dict[str, Any]:
    reason = item.reason
    said = {"sentAt": batch.sent_at, "context": batch.context, "integrations": batch.integrations}
    said = {key: value for key, value in said.items() if value is not None}
    return {
        "rejected_id": item.rejected_id,
        "received_at": received_at,
        "key_id": sender.key_id,
        "source": sender.source,
        "trusted": sender.trusted,
        "imported": sender.imported,
        "type": sender.kind,
        "reasons": [{"code": reason.code, "path": reason.path, "message": reason.message}],
        "body": crypto.seal(item.body.decode("utf-8", "surrogateescape")),
        "shared": crypto.seal(msgspec.json.encode(said).decode()) if said else None,
    }


def problems(refused: Sequence[Refused]) -> list[dict[str, str]]:
    """Why events were set aside, for people who read an answer."""
    return [{"path": item.reason.path, "message": item.reason.message} for item in refused]
