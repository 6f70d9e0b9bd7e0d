"""From claimed recipients to messages in the form their provider takes."""

import time
from collections.abc import Sequence

from services.campaign.actions import rendering
from services.campaign.actions.claiming import Batch, Recipient
from services.campaign.actions.links import MessageLinks
from services.campaign.channels import Channel, Draft, Parcel, outside
from services.campaign.domain.liquid import TemplateError
from services.campaign.domain.offers import offered
from services.campaign.store.ledger import Settlement


class Composer:
    """What all messages of a batch have in common."""

    def __init__(self, batch: Batch, channel: Channel) -> None:
        self._batch, self._channel = batch, channel
        self._base = outside.public_url(batch.shop)
        self._shop = rendering.shop_variables(batch.shop, self._base)
        self._campaign = {"id": str(batch.run["campaign_id"]), "name": batch.run["campaign_name"]}

    def compose(self, recipients: Sequence[Recipient]) -> tuple[list[Parcel], list[Settlement]]:
        """A window's messages, and settlements for those the template cannot be rendered for."""
        at = time.time()
        parcels: list[Parcel] = []
        failures: list[Settlement] = []
        for recipient in recipients:
            try:
                parcels.append(self._channel.compose(self._draft(recipient), at))
            except TemplateError as error:
                failures.append(Settlement(recipient.send_id, "failed", "template_error", reply=str(error)[:500]))
        return parcels, failures

    def _draft(self, recipient: Recipient) -> Draft:
        message, unsubscribe_url = rendering.render_message(
            *(self._batch.compiled, recipient.customer, recipient.items, self._shop, self._campaign),
            links=MessageLinks(self._base, recipient.send_id, offered(recipient.recommendation_id, recipient.items)),
        )
        return Draft(
            *(recipient.send_id, recipient.address, message.subject, message.html, message.text),
            unsubscribe_url=unsubscribe_url,
            campaign_id=self._campaign["id"],
        )
