"""The sample shop."""

from typing import Any

from services.console.actions import sample_shop as actions
from services.console.api.versions import expected_version
from services.console.schemas.sample_shop import SampleShop, SampleShopReply
from shared.audit import caller
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.web import set_etag

blp = Blueprint("Sample shop", __name__, url_prefix="/v1/sample-shop", description="A shop to try recommendations in")


@blp.get("")
@require("shop:read")
@blp.response(200, SampleShopReply)
def get_sample_shop() -> actions.SampleShop:
    """Whether it is open, and whom visitors may play."""
    found = actions.get()
    set_etag(found.version)
    return found


@blp.put("")
@require("shop:write")
@idempotent
@blp.arguments(SampleShop)
@blp.response(200, SampleShopReply)
def put_sample_shop(changes: dict[str, Any]) -> actions.SampleShop:
    """Open it under /storefront, or close it; name the customers (by user id) whom any visitor may then play.

    Whoever reaches the address sees what is recommended to these customers.
    """
    changed = actions.update(changes, expected_version(), caller())
    set_etag(changed.version)
    return changed
