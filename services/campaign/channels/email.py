"""E-mail over SMTP: MIME by hand, List-Unsubscribe, DKIM where the shop has a key."""

import email.utils
from collections.abc import Sequence
from typing import Final

from services.campaign.channels import Draft, Parcel
from services.campaign.channels.smtp import SmtpConnection
from services.campaign.domain import mime
from services.campaign.domain.dkim import Signer
from services.campaign.domain.replies import Answer


class EmailChannel:
    """One SMTP connection and the sender it speaks for."""

    name: Final = "email"

    def __init__(self, connection: SmtpConnection, sender: str, sender_name: str, signer: Signer | None) -> None:
        self._connection, self._signer = connection, signer
        self._sender, self._sender_name = sender, sender_name
        self._domain = sender.rpartition("@")[2]

    def connect(self) -> None:
        """See Channel."""
        self._connection.connect()

    def compose(self, draft: Draft, at: float) -> Parcel:
        """See Channel. The Message-ID is that of the ledger row: a second copy is recognisable as one."""
        fields = mime.headers(
            mime.Envelope(
                sender=self._sender,
                sender_name=self._sender_name,
                recipient=draft.address,
                subject=draft.subject,
                date=email.utils.formatdate(at),
                message_id=f"{draft.send_id.hex}@{self._domain}",
                unsubscribe_url=draft.unsubscribe_url,
                campaign_id=draft.campaign_id,
            )
        )
        described, content = mime.body(
            draft.text, draft.html, b"=_%b" % draft.send_id.hex.encode(), eight_bit=self._connection.eight_bit
        )
        fields += described
        if self._signer is not None:
            fields.insert(0, self._signer.header(fields, content, int(at)))
        return Parcel(draft.send_id, draft.address, mime.assemble(fields, content))

    def hand_over(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """See Channel."""
        return self._connection.send(self._sender, parcels)

    def close(self) -> None:
        """See Channel."""
        self._connection.close()
