"""The route a marketer asks: whom to offer this."""

from typing import Any

from services.recommend.actions import audiences as actions
from services.recommend.schemas.audiences import AudienceIn, AudienceOut
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("audiences", __name__, url_prefix="/v1/audiences", description="Whom to offer an item or a category")


@blp.post("")
@require("audiences:read")
@blp.arguments(AudienceIn)
@blp.response(200, AudienceOut)
def post_audience(asked: dict[str, Any]) -> dict[str, Any]:
    """Customers for an item or a category, ranked by the probability that they buy it, with reach and response.

    Probabilities are counted, not claimed: the same score is given to customers as they were known one horizon ago, and
    compared with what they have bought since. What is off sale is refused.
    """
    return actions.audience(asked)
