"""API keys: list, make, revoke."""

from typing import Any
from uuid import UUID

from services.console.actions import keys as actions
from services.console.schemas.keys import CreatedKey, Key, KeyList, NewKey
from shared.audit import caller
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("API keys", __name__, url_prefix="/v1/keys", description="API keys")


@blp.get("")
@require("keys:write")
@blp.response(200, KeyList)
def get_keys() -> dict[str, Any]:
    """All keys, those in force first; never the keys themselves."""
    return {"items": actions.list_keys(), "next_cursor": None}


@blp.post("")
@require("keys:write")
@blp.arguments(NewKey)
@blp.response(201, CreatedKey)
def post_key(key: dict[str, Any]) -> actions.CreatedKey:
    """Make a key. Its secret is in this answer and cannot be shown again."""
    return actions.create_key(key["name"], key["kind"], caller())


@blp.delete("/<uuid:key_id>")
@require("keys:write")
@blp.response(200, Key)
def delete_key(key_id: UUID) -> actions.KeyRecord:
    """Revoke a key for good. All services refuse it within seconds."""
    return actions.revoke_key(key_id, caller())
