"""What becomes of messages: the provider's answers into the ledger, outcomes, suppressions and caps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.campaign.domain.ledger import after_interruption
from services.campaign.domain.replies import Answer, retry_delay
from services.campaign.store import campaigns as runs
from services.campaign.store import caps, ledger, outcomes, suppressions
from services.campaign.store.ledger import Settlement
from shared import metrics
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.telemetry import get_logger, mask

UNTRIED_PAUSE: Final = timedelta(seconds=10)
# Whatever ends like this may have reached somebody: its slot of the cap stays taken.
_MAY_HAVE_ARRIVED: Final = frozenset({"sent", "uncertain", "pending"})

_SENDS: Final = metrics.counter("zhike_sends_total", "What became of messages handed over.", ["channel", "state"])
_INTERRUPTED: Final = metrics.counter(
    "zhike_sends_interrupted_total", "Messages whose worker stopped while it handed them over."
)
log = get_logger(__name__)


@dataclass
class Window:
    """At most 20 messages handed over together: the `attempts` made before, and the provider's answers so far."""

    run: Row
    attempts: dict[UUID, int]
    window_id: UUID = field(default_factory=uuid7)
    answers: dict[UUID, Answer] = field(default_factory=dict)


def settle_window(tx: Transaction, window: Window, at: datetime) -> None:
    """Write down a window's answers and what they mean for profile's log, for the address and for the cap.

    `at`: the business instant that outcomes are stamped with.
    """
    now = datetime.now(UTC)
    settlements = [
        _settlement(send_id, answer, window.run["purpose"], window.attempts[send_id] + 1, now)
        for send_id, answer in window.answers.items()
    ]
    settled = ledger.settle_window(tx, window.window_id, settlements)
    tx.after_commit(lambda: count(window.run["channel"], settled))
    outcomes.add(tx, [o for row in settled if (o := _outcome(row, window.answers[row["send_id"]], at))])
    bounced = [row for row in settled if window.answers[row["send_id"]].bounced]
    if bounced:
        suppressions.add(tx, [_suppression(row, window.run) for row in bounced])
    _give_back(tx, settled)


def count(channel: str, settled: Sequence[Row]) -> None:
    """Count what became of messages, by state; `pending` is one that is tried again later."""
    for state, number in Counter(row["state"] for row in settled).items():
        _SENDS.labels(channel, state).inc(number)


def settle_claimed(tx: Transaction, lease: UUID, settlements: Sequence[Settlement]) -> None:
    """Settle or put off claimed rows that are not handed over."""
    _give_back(tx, ledger.settle_claimed(tx, lease, settlements))


def resolve_interrupted() -> int:
    """Find the rows whose worker stopped in the middle of a window, and follow the run's policy. Returns how many."""
    with transaction() as tx:
        rows = ledger.resolve_interrupted(tx)
    if rows:
        windows = len({row["hand_over"] for row in rows})
        log.warning("hand_overs_interrupted", windows=windows, messages=len(rows))
        _INTERRUPTED.inc(len(rows))
    return len(rows)


def finish_runs() -> None:
    """Expire what waited too long, end runs in which everybody has a final state."""
    with transaction() as tx:
        ledger.expire_runs(tx)
        for run in runs.finish_runs(tx):
            caps.give_back_of_run(tx, run["run_id"])
            log.info("run_finished", run_id=str(run["run_id"]), **ledger.count_states(tx, run["run_id"]))


def report_problem(campaign_id: UUID, problem: str | None) -> None:
    """Tell people why a campaign does not go on; None when it does."""
    if problem:
        log.warning("campaign_stuck", campaign_id=str(campaign_id), problem=problem)
    with transaction() as tx:
        runs.set_problem(tx, campaign_id, problem)


def _settlement(send_id: UUID, answer: Answer, purpose: str, attempts: int, now: datetime) -> Settlement:
    reply = mask(answer.reply) or None
    if answer.outcome == "unknown":
        verdict = after_interruption(purpose)
        return Settlement(send_id, verdict.state, answer.reason, now + UNTRIED_PAUSE, reply, tried=True)
    if answer.outcome != "retry":
        return Settlement(send_id, answer.outcome, answer.reason, None, reply, tried=True)
    if answer.reason == "untried":
        return Settlement(send_id, "pending", answer.reason, now + UNTRIED_PAUSE)
    delay = retry_delay(attempts, send_id.hex)
    if delay is None:
        return Settlement(send_id, "failed", "refused_too_often", None, reply, tried=True)
    return Settlement(send_id, "pending", answer.reason, now + delay, reply, tried=True)


def _outcome(row: Row, answer: Answer, at: datetime) -> dict[str, Any] | None:
    kind = "delivered" if row["state"] == "sent" else "bounced" if answer.bounced else None
    if kind is None:
        return None
    send_id = row["send_id"]
    message_id = f"{send_id}:{kind}"
    return {"outcome_id": uuid7(), "send_id": send_id, "kind": kind, "occurred_at": at, "message_id": message_id}


def _suppression(row: Row, run: Row) -> dict[str, Any]:
    return {
        "address_index": row["address_index"],
        "channel": run["channel"],
        "scope": "all",
        "address": row["address"],
        "reason": "bounced",
        "source": f"run {run['run_id']}",
    }


def _give_back(tx: Transaction, settled: Sequence[Row]) -> None:
    free = [row["send_id"] for row in settled if row["state"] not in _MAY_HAVE_ARRIVED]
    if free:
        caps.give_back(tx, free)
