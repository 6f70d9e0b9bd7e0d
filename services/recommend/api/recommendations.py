"""The routes a storefront and a campaign ask."""

from flask import Response, request

from services.recommend.actions import recommendations as actions
from services.recommend.schemas.recommendations import (
    BatchIn,
    BatchOut,
    RecommendationsIn,
    RecommendationsOut,
    SignatureIn,
    SignatureOut,
    documented,
)
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.web import json_bytes

blp = Blueprint("recommendations", __name__, url_prefix="/v1/recommendations", description="What to show to whom")


@blp.post("")
@require("recommendations:read")
@blp.doc(**documented(RecommendationsIn, RecommendationsOut))
def post_recommendations() -> Response:
    """The best items for one person at this moment.

    Items off sale, excluded, filtered out or (unless `exclude_seen` is false) bought before never appear. There are
    exactly `n` of them, or `shortfall` says why not. A storefront key needs the shop's `signature` over the
    customer_id or user_id for a personal answer.
    """
    return Response(actions.answer(request.get_data(), principal()), content_type="application/json")


@blp.post("/batch")
@require("recommendations:batch")
@blp.doc(**documented(BatchIn, BatchOut))
def post_batch() -> Response:
    """The same for up to 1,000 customers in one request."""
    return Response(actions.answer_batch(request.get_data()), content_type="application/json")


@blp.post("/signatures")
@require("recommendations:batch")
@blp.doc(**documented(SignatureIn, SignatureOut))
def post_signature() -> Response:
    """The shop's signature over a customer_id or user_id; its server hands it to the browser of that person."""
    return json_bytes({"signature": actions.signature(request.get_data())})
