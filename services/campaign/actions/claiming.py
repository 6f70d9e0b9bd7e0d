"""Claim a batch of a run and decide about every recipient of it, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.campaign.actions import people, rendering, settling
from services.campaign.domain.ledger import Circumstances, Verdict, decide
from services.campaign.domain.quiet_hours import QuietHours
from services.campaign.domain.templates import Compiled
from services.campaign.store import caps, ledger, suppressions
from services.campaign.store import policy as policies
from services.campaign.store.ledger import Settlement
from shared import crypto
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.shop import Shop, read_shop

BATCH: Final = 400


@dataclass
class Recipient:
    """One person who is to get the message now."""

    send_id: UUID
    customer_id: UUID
    address: str
    attempts: int
    customer: dict[str, Any]
    items: list[dict[str, Any]] = field(default_factory=list)
    recommendation_id: UUID | None = None


@dataclass(frozen=True)
class Batch:
    """What one worker has claimed of one run (`claimed` rows), and whom of them it sends to now."""

    run: Row
    lease: UUID
    shop: Shop
    compiled: Compiled
    claimed: int
    recipients: list[Recipient]


def claim(run: Row) -> Batch:
    """The next due rows of a run, decided about: those who may not get the message now are settled or put off."""
    lease = uuid7()
    with transaction() as tx:
        shop = read_shop(tx)
        rows = ledger.claim(tx, run["run_id"], lease, BATCH)
        facts = {row["customer_id"]: row for row in ledger.people_of(tx, [row["customer_id"] for row in rows])}
        going = _decide(tx, run, shop, lease, rows, facts)
        compiled = rendering.compiled_version(tx, run["template_id"], run["template_version"])
    return Batch(run, lease, shop, compiled, len(rows), [_recipient(row, facts[row["customer_id"]]) for row in going])


def _recipient(row: Row, facts: Row) -> Recipient:
    return Recipient(
        send_id=row["send_id"],
        customer_id=row["customer_id"],
        address=row["current_address"],
        attempts=row["attempts"],
        customer=people.template_customer(facts),
    )


def _decide(
    tx: Transaction, run: Row, shop: Shop, lease: UUID, rows: Sequence[Row], facts: Mapping[UUID, Row]
) -> list[Row]:
    """Who gets the message now, with their present address; everybody else is settled or put off."""
    now = datetime.now(UTC)
    policy = policies.find_policy(tx)
    quiet = QuietHours(policy["quiet_start"], policy["quiet_end"])
    consenting = ledger.consenting(tx, [row["customer_id"] for row in rows], run["channel"])
    for row in rows:
        row["current_address"] = people.address_of(facts.get(row["customer_id"], {}).get("email"))
        row["current_index"] = people.address_index(row["current_address"])
    suppressed = suppressions.reasons(tx, [r["current_index"] for r in rows], run["channel"], run["purpose"])
    settlements: list[Settlement] = []
    going: list[Row] = []
    for row in rows:
        known = facts.get(row["customer_id"])
        who = Circumstances(
            purpose=run["purpose"],
            known=known is not None,
            address=row["current_address"],
            consented=row["customer_id"] in consenting,
            suppressed=suppressed.get(row["current_index"], ""),
            time_zone=known["time_zone"] if known else None,
            expires_at=run["expires_at"],
        )
        verdict = _follow_address(tx, row, decide(who, now, shop.time_zone, quiet, shop.allow_list))
        if verdict.state == "pending" and verdict.due_at is None:
            going.append(row)
        else:
            settlements.append(Settlement(row["send_id"], verdict.state, verdict.reason, verdict.due_at))
    if run["purpose"] == "promotional" and policy["cap_messages"] and going:
        held = caps.take(
            *(tx, going, run["purpose"], shop.business_clock or now),
            messages=policy["cap_messages"],
            days=policy["cap_days"],
        )
        capped = [row["send_id"] for row in going if row["send_id"] not in held]
        settlements += [Settlement(send_id, "capped", "enough_messages_for_this_person") for send_id in capped]
        going = [row for row in going if row["send_id"] in held]
    settling.settle_claimed(tx, lease, settlements)
    return going


def _follow_address(tx: Transaction, row: Row, verdict: Verdict) -> Verdict:
    """A customer may have a new address since the freeze; still no two recipients share one."""
    if verdict.state != "pending" or row["current_index"] == row["address_index"]:
        return verdict
    if ledger.move_address(tx, row["send_id"], crypto.seal(row["current_address"]), row["current_index"]):
        return verdict
    return Verdict("duplicate_address", "address_shared_with_another_recipient")
