"""The route of what came of recommendations."""

from typing import Any

from services.recommend.actions import reports as actions
from services.recommend.schemas.experiments import ReportOut, ReportQuery
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("reports", __name__, url_prefix="/v1/recommendations", description="What came of recommendations")


@blp.get("/report")
@require("slots:read")
@blp.arguments(ReportQuery, location="query")
@blp.response(200, ReportOut)
def get_report(query: dict[str, Any]) -> dict[str, Any]:
    """Impressions, viewers, clicks, orders and revenue by slot, strategy, variant and day.

    What was bought counts for the last click on that very item within the window, net of what was given back.
    """
    return actions.report(query["slot"], query["since"], query["until"], query["window_days"])
