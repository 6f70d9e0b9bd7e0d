"""How the event log stands."""

from typing import Any

from services.profile.actions import upkeep as actions
from services.profile.schemas.log import LogStatus
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("log", __name__, url_prefix="/v1/log", description="How the event log stands")


@blp.get("")
@require("customers:read")
@blp.response(200, LogStatus)
def get_log() -> dict[str, Any]:
    """The last position of the log, and what waits to be appended since when."""
    return actions.status()
