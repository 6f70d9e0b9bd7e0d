"""From a template version and a person to the message they get."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.campaign.actions.links import MessageLinks
from services.campaign.domain import templates, variables
from services.campaign.domain.templates import Compiled, Rendered
from services.campaign.store import templates as store
from shared.database import Transaction
from shared.problems import NotFound
from shared.shop import Shop


@lru_cache(maxsize=64)
def _compiled(subject: str, html: str, text: str) -> Compiled:
    return templates.compile_template(subject, html, text)


def compiled_version(tx: Transaction, template_id: UUID, version: int) -> Compiled:
    """A template version, parsed once per process."""
    parts = store.find_version(tx, template_id, version)
    if parts is None:
        raise NotFound("this version of the template does not exist")
    return _compiled(parts["prepared_subject"], parts["prepared_html"], parts["prepared_text"])


def shop_variables(shop: Shop, base: str) -> dict[str, Any]:
    """`shop` of a template."""
    return {"name": shop.name, "url": base, "postal_address": shop.postal_address, "locale": shop.locale}


def render_message(
    compiled: Compiled,
    customer: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    shop: Mapping[str, Any],
    campaign: Mapping[str, Any],
    links: MessageLinks,
) -> tuple[Rendered, str]:
    """The message with its links tracked, and its unsubscribe address. Raises TemplateError."""
    addresses = links.variables()
    rendered = compiled.render(variables.message_variables(customer, items, shop, campaign, addresses))
    tracked = Rendered(rendered.subject, links.track(rendered.html), rendered.text)
    return tracked, addresses["unsubscribe_url"]
