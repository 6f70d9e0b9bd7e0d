"""The states of a message, and what is decided about a recipient just before the hand-over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.campaign.domain import addresses
from services.campaign.domain.quiet_hours import QuietHours, next_allowed, zone

OPEN: Final = frozenset({"pending", "handing_over"})
FINAL: Final = frozenset(
    {
        *("sent", "failed", "uncertain", "holdout", "suppressed", "no_consent", "no_address", "duplicate_address"),
        *("capped", "not_allowed", "merged", "erased", "cancelled", "expired"),
    }
)
STATES: Final = OPEN | FINAL
WINDOW: Final = 20


@dataclass(frozen=True)
class Circumstances:
    """What is known of a recipient at this moment."""

    purpose: str
    known: bool  # the customer (still) exists
    address: str  # normalised; "" for none
    consented: bool
    suppressed: str  # the reason, "" for none
    time_zone: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Verdict:
    """`state` pending means: go on, at `due_at`. Any other is final."""

    state: str
    reason: str = ""
    due_at: datetime | None = None


GO: Final = Verdict("pending")


def decide(
    who: Circumstances,
    now: datetime,
    shop_zone: str,
    quiet: QuietHours | None,
    allow_list: Sequence[str] | None,
) -> Verdict:
    """Whether a message may go to this recipient now, later or never. Caps come after: they need the person's row."""
    refusal = _refusal(who, now, allow_list)
    if refusal is not None:
        return refusal
    if who.purpose == "promotional":
        due_at = next_allowed(now, zone(who.time_zone, shop_zone), quiet)
        if due_at > now:
            return Verdict("pending", "quiet_hours", due_at)
    return GO


def _refusal(who: Circumstances, now: datetime, allow_list: Sequence[str] | None) -> Verdict | None:
    """The first reason never to send, in the order in which they are told."""
    reasons = (
        (not who.known, "erased", "customer_unknown"),
        (now >= who.expires_at, "expired", "not_sent_in_time"),
        (not who.address, "no_address", "address_missing"),
        (not addresses.sendable(who.address), "no_address", "address_invalid"),
        (bool(who.suppressed), "suppressed", who.suppressed),
        (who.purpose == "promotional" and not who.consented, "no_consent", "marketing_email_not_granted"),
        (not addresses.allowed(who.address, allow_list), "not_allowed", "not_on_allow_list"),
    )
    return next((Verdict(state, reason) for holds, state, reason in reasons if holds), None)


def after_interruption(purpose: str) -> Verdict:
    """What becomes of a message that was being handed over when the worker stopped: promotional ones never go twice."""
    if purpose == "transactional":
        return Verdict("pending", "resent_after_interruption")
    return Verdict("uncertain", "interrupted_while_handing_over")
