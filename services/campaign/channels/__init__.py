"""How messages leave. The ledger knows a channel by this protocol only, so SMS, push and WeChat fit beside e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.campaign.domain.replies import Answer


class ChannelDown(Exception):
    """The provider cannot be reached or refuses us as a whole; nothing was handed over. The text is for people."""


@dataclass(frozen=True)
class Draft:
    """One message as the ledger hands it to a channel: rendered, links tracked."""

    send_id: UUID
    address: str
    subject: str
    html: str
    text: str
    unsubscribe_url: str
    campaign_id: str


@dataclass(frozen=True)
class Parcel:
    """One message in the form its provider takes."""

    send_id: UUID
    address: str
    content: bytes


class Channel(Protocol):
    """One connection to one provider. Not shared between threads."""

    def connect(self) -> None:
        """Be ready to hand over. Raises ChannelDown."""

    def compose(self, draft: Draft, at: float) -> Parcel:
        """The message as it will leave, dated `at` (unix time). After connect(): the provider has a say in its form."""

    def hand_over(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Hand over one window, in order; one answer each, whatever happens. Returns within BUDGET_S."""

    def close(self) -> None:
        """Let go of the connection."""


# A window ends within this time, well before the lease of its rows does.
BUDGET_S = 55.0
