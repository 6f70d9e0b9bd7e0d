"""The categories of the catalogue."""

from typing import Any

from services.recommend.actions import categories as actions
from services.recommend.schemas.categories import CategoryList
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("categories", __name__, url_prefix="/v1/categories", description="The catalogue's categories")


@blp.get("")
@require("items:read")
@blp.response(200, CategoryList)
def list_categories() -> dict[str, Any]:
    """Every category that an item is in, with how many items it has."""
    return {"items": actions.categories()}
