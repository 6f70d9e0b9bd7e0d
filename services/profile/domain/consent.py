"""Consent: decisions over time, and the one in force."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

CHANNELS: Final = ("email", "sms", "push", "wechat")
MARKETING: Final = "marketing"
_PURPOSE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_AHEAD: Final = timedelta(minutes=5)


class ConsentError(ValueError):
    """A decision that cannot be kept; the message says why."""

    code = "invalid_consent"


@dataclass(frozen=True)
class Decision:
    """Somebody granted or withdrew consent to be addressed for a purpose over a channel, at an instant."""

    purpose: str
    channel: str
    granted: bool
    decided_at: datetime
    source: str
    text_version: str | None = None


def check(purpose: str, channel: str, decided_at: datetime, now: datetime) -> None:
    """Refuse what no decision can be. Raises ConsentError."""
    if channel not in CHANNELS:
        raise ConsentError(f"there is no channel {channel[:40]!r}; there are {', '.join(CHANNELS)}")
    if not _PURPOSE.fullmatch(purpose):
        raise ConsentError("a purpose is a word of small letters, digits and underscores, such as `marketing`")
    if decided_at > now + _AHEAD:
        raise ConsentError("the decision lies in the future")


def in_force(decisions: Iterable[Decision]) -> list[Decision]:
    """The decision in force for each purpose and channel: the latest; at the same instant a withdrawal wins."""
    newest: dict[tuple[str, str], Decision] = {}
    for decision in decisions:
        slot = (decision.purpose, decision.channel)
        held = newest.get(slot)
        if held is None or _rank(decision) > _rank(held):
            newest[slot] = decision
    return [newest[slot] for slot in sorted(newest)]


def latest(history: Sequence[Decision], purpose: str, channel: str) -> Decision | None:
    """The decision in force for one purpose and channel."""
    of_slot = [d for d in in_force(history) if (d.purpose, d.channel) == (purpose, channel)]
    return of_slot[0] if of_slot else None


def _rank(decision: Decision) -> tuple[datetime, bool]:
    return decision.decided_at, not decision.granted
