"""The routes a storefront and a campaign ask."""

from typing import Final

from flask import Response, request

from services.recommend.actions import batches, several
from services.recommend.actions import recommendations as actions
from services.recommend.schemas.recommendations import (
    BatchIn,
    BatchOut,
    NextIn,
    RecommendationsIn,
    RecommendationsOut,
    SignatureIn,
    SignatureOut,
    documented,
    documented_multi,
)
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.web import json_bytes

blp = Blueprint("recommendations", __name__, url_prefix="/v1/recommendations", description="What to show to whom")

# Browsers ask from the shop's own pages, with a key that is public and without cookies: any page may, as it may send
# events. What a page may know of a person hangs on the shop's signature, not on where the page lies.
_ANY_PAGE: Final = "*"
_ASKED_BEFOREHAND: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Write-Key",
    "Access-Control-Max-Age": "86400",
}
_OF_SERVERS: Final = frozenset({"recommendations.post_batch", "recommendations.post_signature"})


@blp.after_request
def _open_to_pages(response: Response) -> Response:
    if request.endpoint not in _OF_SERVERS:
        response.headers["Access-Control-Allow-Origin"] = _ANY_PAGE
        if request.method == "OPTIONS":
            response.headers.update(_ASKED_BEFOREHAND)
    return response


@blp.post("")
@require("recommendations:read")
@blp.doc(**documented(RecommendationsIn, RecommendationsOut))
def post_recommendations() -> Response:
    """The best items for one person at this moment.

    Items off sale, excluded, filtered out or (unless `exclude_seen` is false) bought before never appear. There are
    exactly `n` of them, or `shortfall` says why not. A `slot` says how its places are filled; `strategy`, `where` (an
    expression such as `price < 50 and not attributes.adult`) and `kinds` do so for one request. A storefront key
    needs the shop's `signature` over the customer_id or user_id for a personal answer.
    """
    return Response(actions.answer(request.get_data(), principal()), content_type="application/json")


@blp.post("/next")
@require("recommendations:read")
@blp.doc(**documented(NextIn, RecommendationsOut))
def post_next() -> Response:
    """The page after an answer, by its `next`: the same request as of now, without any item that was shown before."""
    return Response(several.answer_next(request.get_data(), principal()), content_type="application/json")


@blp.post("/multi")
@require("recommendations:read")
@blp.doc(**documented_multi())
def post_multi() -> Response:
    """Several requests at once, such as all slots of a page: an answer each, or the problem that one has.

    With `"distinct": true` no item is in two of the answers; the first that may show it does.
    """
    return Response(several.answer_several(request.get_data(), principal()), content_type="application/json")


@blp.post("/batch")
@require("recommendations:batch")
@blp.doc(**documented(BatchIn, BatchOut))
def post_batch() -> Response:
    """The same for up to 1,000 customers in one request; each gets what they would get alone, the variant included."""
    return Response(batches.answer_batch(request.get_data()), content_type="application/json")


@blp.post("/signatures")
@require("recommendations:batch")
@blp.doc(**documented(SignatureIn, SignatureOut))
def post_signature() -> Response:
    """The shop's signature over a customer_id or user_id; its server hands it to the browser of that person.

    It holds for a day, or for `expires_in` seconds. With `"expires_in": null` it holds until the installation's secret
    is changed, as those that earlier releases gave.
    """
    return json_bytes({"signature": actions.signature(request.get_data())})
