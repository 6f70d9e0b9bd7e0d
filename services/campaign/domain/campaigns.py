"""What a campaign is, and which way it goes: draft, scheduled, preparing, sending, paused, sent or cancelled."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "draft": frozenset({"scheduled", "cancelled"}),
    "scheduled": frozenset({"draft", "preparing", "paused", "cancelled"}),
    "preparing": frozenset({"sending", "cancelled"}),
    "sending": frozenset({"paused", "sent", "cancelled"}),
    "paused": frozenset({"scheduled", "sending", "sent", "cancelled"}),
    "sent": frozenset(),
    "cancelled": frozenset(),
}
EDITABLE: Final = frozenset({"draft", "scheduled"})


class CampaignError(Exception):
    """A campaign that says something that cannot be; `errors` name the fields."""

    code = "campaign_invalid"

    def __init__(self, detail: str, path: str) -> None:
        super().__init__(detail)
        self.errors = [{"path": path, "message": detail}]


class StateError(Exception):
    """The campaign is in a state that does not allow this."""

    code = "wrong_state"


def move(status: str, to: str) -> str:
    """The new status. Raises StateError where the way is closed."""
    if to not in TRANSITIONS[status]:
        raise StateError(f"a campaign that is {status} cannot become {to}")
    return to


def check_editable(status: str) -> None:
    """Raises StateError for a campaign that has begun: what was sent stays what it was."""
    if status not in EDITABLE:
        raise StateError(f"a campaign that is {status} can no longer be changed; make a copy")


def instant(send_at: datetime | None, local: datetime | None, zone: str | None, now: datetime) -> datetime:
    """When a campaign is due, in UTC: an instant, or a time on the clock of `zone`; `now` where neither is given.

    A local time that a clock put forward skips is taken as if it had not been; one that occurs twice, the first time.
    """
    if send_at is not None and local is not None:
        raise CampaignError("give an instant or a local time, not both", "send_at")
    if local is not None:
        try:
            return local.replace(tzinfo=ZoneInfo(zone or "")).astimezone(UTC)
        except (KeyError, ValueError, OSError) as error:
            raise CampaignError(f"there is no time zone {zone!r}", "send_at_zone") from error
    return now if send_at is None else send_at.astimezone(UTC)
