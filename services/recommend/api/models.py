"""The routes of the model registry."""

from typing import Any

from services.recommend.actions import models as actions
from services.recommend.schemas.models import ModelOut, ModelPage, ModelQuery, TrainingOut
from services.recommend.store.models import Published, Training
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
    """Models, newest first, and the state of the trainer."""
    limit = query["limit"]
    found, training = actions.models_page(_before(query.get("cursor")), limit + 1)
    page, champion = found[:limit], actions.champion()
    return {
        "items": [_out(one, champion) for one in page],
        "next_cursor": encode_cursor(page[-1].version) if len(found) > limit else None,
        "training": training,
    }


@blp.post("")
@require("models:train")
@blp.response(202, TrainingOut)
def post_model() -> Training:
    """Ask for a new model; it is published when GET /v1/models shows one with `started_at` after `requested_at`."""
    return actions.request_training()


@blp.get("/<version>")
@require("models:read")
@blp.response(200, ModelOut)
def get_model(version: str) -> dict[str, Any]:
    """One model: what it was made with, and every figure of it."""
    return _out(actions.model(version), actions.champion())


@blp.post("/<version>/restore")
@require("models:train")
@blp.response(200, ModelOut)
def restore_model(version: str) -> dict[str, Any]:
    """Let an earlier model serve again, until the next one is published. 409 where its files are gone."""
    return _out(actions.restore(version), version)


def _out(model: Published, champion: str | None) -> dict[str, Any]:
    if model.serving_since is None:
        status = "not_published"
    elif model.version == champion:
        status = "serving"
    else:
        status = "retired" if model.path is None else "ready"
    return {**vars(model), "status": status}


def _before(cursor: str | None) -> str | None:
    values = decode_cursor(cursor)
    if values is not None and (len(values) != 1 or not isinstance(values[0], str)):
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor")
    return values[0] if values else None
