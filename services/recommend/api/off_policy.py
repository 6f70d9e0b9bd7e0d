"""The route of what another ranking would have earned."""

from typing import Any

from services.recommend.actions import off_policy as actions
from services.recommend.schemas.off_policy import OffPolicyOut, OffPolicyQuery
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("off_policy", __name__, url_prefix="/v1/slots", description="What another ranking would have earned")


@blp.get("/<name>/off-policy")
@require("slots:read")
@blp.arguments(OffPolicyQuery, location="query")
@blp.response(200, OffPolicyOut)
def get_off_policy(query: dict[str, Any], name: str) -> dict[str, Any]:
    """What the slot would have earned per answer with another strategy, from the answers that explored.

    Nobody has to be shown it: items drawn by lot, and what both rankings show, tell. `can_say` is false, with the
    reason, where the log cannot answer; then only an experiment can.
    """
    return actions.off_policy(name, query)
