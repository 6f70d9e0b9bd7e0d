"""Starting campaigns: take those that are due, freeze their audience, let them send."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any, Final
from zlib import crc32

from services.campaign.actions import people
from services.campaign.domain import addresses
from services.campaign.domain.assignment import threshold
from services.campaign.domain.campaigns import move
from services.campaign.domain.templates import generic_subject
from services.campaign.store import audience, ledger
from services.campaign.store import campaigns as store
from services.campaign.store import policy as policies
from services.campaign.store import templates as template_store
from shared import audit, crypto
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.shop import read_shop
from shared.telemetry import get_logger

_CHUNK: Final = 5000
# A million recipients are decided in statements of some ten thousand each: none of them takes long, however slow the
# machine. Reading them begins with one that sorts all decisions on consent.
_PARTS: Final = 1024
_ENTRIES_A_STATEMENT: Final = 50_000
_FREEZE_TIMEOUT_MS: Final = 600_000

log = get_logger(__name__)


def start_due() -> int:
    """Start every campaign that is due, and freeze where a worker stopped. Returns how many audiences froze."""
    while _take_due():
        pass
    frozen = 0
    while _freeze_next():
        frozen += 1
    return frozen


def _take_due() -> bool:
    """One due campaign becomes a run, with its settings as they are now."""
    with transaction() as tx:
        campaign = store.take_due(tx)
        if campaign is None:
            return False
        template = template_store.find_template(tx, campaign["template_id"])
        trouble = _trouble(tx, campaign, template)
        if trouble is not None or template is None:
            store.set_status(tx, campaign["campaign_id"], "paused")
            store.set_problem(tx, campaign["campaign_id"], trouble)
            _note(tx, campaign, "pause", {"status": "paused", "problem": trouble})
            return True
        run = _run(tx, campaign, template)
        store.insert_run(tx, run)
        store.set_status(tx, campaign["campaign_id"], move(campaign["status"], "preparing"))
        _note(tx, campaign, "start", {"status": "preparing", "run": run["number"], "template": run["template_version"]})
    return True


def _note(tx: Transaction, campaign: Row, deed: str, after: dict[str, Any]) -> None:
    """What the platform did by itself because the time had come: who scheduled it stands in the entry before."""
    audit.record(
        *(tx, f"campaign.{deed}", ("campaign", campaign["campaign_id"]), {"status": campaign["status"]}, after),
        actor=audit.SYSTEM,
    )


def _trouble(tx: Transaction, campaign: Row, template: Row | None) -> str | None:
    if template is None:
        return "its template is gone"
    if not store.segment_exists(tx, campaign["segment_id"]):
        return "its segment is gone"
    return None


def _run(tx: Transaction, campaign: Row, template: Row) -> dict[str, Any]:
    shop, policy = read_shop(tx), policies.find_policy(tx)
    now = datetime.now(UTC)
    return {
        **campaign,
        "run_id": uuid7(),
        "number": store.next_number(tx, campaign["campaign_id"]),
        "template_version": template["version"],
        "subject": generic_subject(template["subject"]),
        # A replay runs on the shop's business clock: what follows was recorded long before.
        "replay": campaign["replay"] or shop.business_clock is not None,
        "as_of": shop.business_clock or now,
        "expires_at": now + timedelta(hours=policy["expire_hours"]),
    }


def _freeze_next() -> bool:
    """Freeze one audience, in one transaction: all members are in the ledger, or none is and it is done again."""
    with transaction(timeout_ms=_FREEZE_TIMEOUT_MS) as tx:
        run = store.lock_preparing_run(tx)
        if run is None:
            return False
        _decide(tx, run, _collect(tx, run))
        store.set_run_status(tx, run["run_id"], "sending")
        store.set_status(tx, run["campaign_id"], move("preparing", "sending"))
        counts = ledger.count_states(tx, run["run_id"])
        tx.nudge("campaign.send")
    log.info("audience_frozen", run_id=str(run["run_id"]), **counts)
    return True


def _collect(tx: Transaction, run: Row) -> int:
    """Everybody of the segment with their address and consent, in a temporary table; returns how many."""
    audience.begin(tx)
    members, count = audience.members(tx, run["segment_id"], run["channel"]), 0
    while chunk := list(islice(members, _CHUNK)):
        count += audience.add(tx, map(_entry, chunk))
    audience.collected(tx)
    return count


def _decide(tx: Transaction, run: Row, count: int) -> None:
    """Each of them becomes a row of the ledger."""
    statements = min(_PARTS, 1 + count // _ENTRIES_A_STATEMENT)
    bounds = [_PARTS * n // statements for n in range(statements + 1)]
    for first, end in pairwise(bounds):
        audience.freeze(tx, run, threshold(run["holdout_share"]), range(first, end))


def _entry(member: Row) -> tuple[Any, ...]:
    address = people.address_of(member["address"])
    index = people.address_index(address) if address and addresses.sendable(address) else None
    return (
        # who share an address are decided together
        crc32(index.encode() if index else member["customer_id"].bytes) % _PARTS,
        uuid7(),
        member["customer_id"],
        _sealed(member["address"], address) if address else None,
        index,
        member["consented"],
        member["known"],
    )


def _sealed(stored: str, address: str) -> str:
    return stored if crypto.is_sealed(stored) else crypto.seal(address)
