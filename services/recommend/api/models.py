"""The routes of the model registry."""

from typing import Any

from services.recommend.actions import models as actions
from services.recommend.schemas.models import ModelPage, ModelQuery, TrainingOut
from services.recommend.store.models import Training
from shared.auth import require
from shared.blueprint import Blueprint
from shared.problems import BadRequest
from shared.web import decode_cursor, encode_cursor

blp = Blueprint("models", __name__, url_prefix="/v1/models", description="The models and their trainer")


@blp.get("")
@require("models:read")
@blp.arguments(ModelQuery, location="query")
@blp.response(200, ModelPage)
def list_models(query: dict[str, Any]) -> dict[str, Any]:
    """Published models, newest first, and the state of the trainer."""
    limit = query["limit"]
    found, training = actions.models_page(_before(query.get("cursor")), limit + 1)
    page = found[:limit]
    return {
        "items": page,
        "next_cursor": encode_cursor(page[-1].version) if len(found) > limit else None,
        "training": training,
    }


@blp.post("")
@require("models:train")
@blp.response(202, TrainingOut)
def post_model() -> Training:
    """Ask for a new model; it is published when GET /v1/models shows one with `started_at` after `requested_at`."""
    return actions.request_training()


def _before(cursor: str | None) -> str | None:
    values = decode_cursor(cursor)
    if values is not None and (len(values) != 1 or not isinstance(values[0], str)):
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor")
    return values[0] if values else None
