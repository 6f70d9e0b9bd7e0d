"""The signed addresses in messages: clicks, opens, unsubscribing, reading in the browser."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.campaign.domain.offers import Offered
from services.campaign.domain.tracking import track
from shared import crypto
from shared.problems import NotFound

# Links of a message work for so long; leaving works for ever.
LINK_TTL_S = 400 * 24 * 3600


@dataclass(frozen=True)
class MessageLinks:
    """The addresses of one message; `base` is the public address of this installation.

    `offered`: what a slot filled it with. A link to one of those says which, so that a click on it counts there.
    """

    base: str
    send_id: UUID
    offered: Offered | None = None

    def unsubscribe(self) -> str:
        """Where the reader leaves."""
        return f"{self.base}/e/u/{crypto.sign('unsubscribe', {'s': self.send_id.hex})}"

    def view(self) -> str:
        """The message in the browser."""
        return f"{self.base}/e/v/{crypto.sign('view', {'s': self.send_id.hex}, LINK_TTL_S)}"

    def opened(self) -> str:
        """The pixel."""
        return f"{self.base}/e/o/{crypto.sign('open', {'s': self.send_id.hex}, LINK_TTL_S)}.gif"

    def clicked(self, number: int, destination: str) -> str:
        """A tracked link. The destination is inside the signature: nobody can make us redirect elsewhere."""
        payload: dict[str, Any] = {"s": self.send_id.hex, "n": number, "u": destination}
        found = self.offered.behind(destination) if self.offered else None
        if self.offered and found:
            payload |= {"r": self.offered.recommendation_id.hex, "i": found.item_id, "p": found.place}
        return f"{self.base}/e/c/{crypto.sign('click', payload, LINK_TTL_S)}"

    def variables(self) -> dict[str, str]:
        """The addresses a template may use."""
        return {"unsubscribe_url": self.unsubscribe(), "view_url": self.view(), "open_url": self.opened()}

    def track(self, rendered: str) -> str:
        """The rendered HTML with its links tracked; those to ourselves stay as they are."""
        own = self.base + "/e/"
        return track(rendered, lambda n, url: url if url.startswith(own) else self.clicked(n, url))


def read_token(purpose: str, token: str) -> tuple[UUID, dict[str, Any]]:
    """The message a link belongs to, and what else the link says. Raises NotFound for a forged or expired one."""
    try:
        payload = crypto.verify(purpose, token)
        return UUID(hex=payload["s"]), payload
    except (ValueError, KeyError, TypeError, UnicodeError) as error:
        raise NotFound("this link is not one of ours, or it has expired", code="link_invalid") from error
