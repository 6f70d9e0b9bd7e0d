"""The shop's settings."""

import re
from typing import Any

from flask import request

from services.console.actions import shop as actions
from services.console.schemas.shop import ShopReply, ShopSettings
from shared.audit import caller
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.problems import PreconditionFailed
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
    changed = actions.update_shop(settings, _expected_version(), caller())
    set_etag(changed.version)
    return changed


def _expected_version() -> int | None:
    wanted = request.headers.get("If-Match", "").strip()
    if wanted in ("", "*"):
        return None
    numbered = re.fullmatch(r'"(\d{1,18})"', wanted)
    if numbered is None:
        raise PreconditionFailed("this If-Match is none of our versions; read the settings again")
    return int(numbered[1])
