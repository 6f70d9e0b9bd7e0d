"""The shop's settings."""

from typing import Any

from services.console.actions import shop as actions
from services.console.api.versions import expected_version
from services.console.schemas.shop import ShopReply, ShopSettings
from shared.audit import caller
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.web import set_etag

blp = Blueprint("Shop settings", __name__, url_prefix="/v1/shop", description="The shop's own settings")


@blp.get("")
@require("shop:read")
@blp.response(200, ShopReply)
def get_shop() -> actions.ShopRecord:
    """The settings in force; the ETag is their version."""
    found = actions.get_shop()
    set_etag(found.version)
    return found


@blp.put("")
@require("shop:write")
@idempotent
@blp.arguments(ShopSettings)
@blp.response(200, ShopReply)
def put_shop(settings: dict[str, Any]) -> actions.ShopRecord:
    """Change settings; those left out keep their values. With If-Match only where nobody changed them meanwhile."""
    changed = actions.update_shop(settings, expected_version(), caller())
    set_etag(changed.version)
    return changed
