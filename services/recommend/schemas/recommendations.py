"""Contracts of recommendations. Requests are hot: msgspec reads them; its schema also documents them."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from services.recommend.domain.expression_parser import LONGEST
from services.recommend.domain.pages import LONGEST as LONGEST_NEXT

MOST_CUSTOMERS = 1_000
MOST_REQUESTS = 50
SIGNED_S = 24 * 3600
LONGEST_SIGNED_S = 400 * 24 * 3600

Text = Annotated[str, Meta(min_length=1, max_length=256)]
Category = Text | Annotated[list[Text], Meta(min_length=1, max_length=10)]
Value = bool | int | float | str
Minor = Annotated[int, Meta(ge=0, lt=2**62)]


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """One of some values: {"eq": value} or {"in": [values]}."""

    eq: Value | None = None
    any_of: Annotated[list[Value], Meta(min_length=1, max_length=1_000)] | None = msgspec.field(name="in", default=None)


class Range(msgspec.Struct, forbid_unknown_fields=True):
    """Both ends included."""

    gte: Minor | None = None
    lte: Minor | None = None


class FilterIn(msgspec.Struct, forbid_unknown_fields=True):
    """What may be shown; all conditions must hold. A condition is a value or {"in": [values]}."""

    category: Text | Choice | None = None
    brand: Text | Choice | None = None
    price_minor: Range | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    attributes: dict[Text, Value | Choice] = msgspec.field(default_factory=dict)


class ContextIn(msgspec.Struct, forbid_unknown_fields=True):
    """The moment: the item being looked at, the category of the page, what is in the cart, where the visitor is."""

    item_id: Text | None = None
    category: Category | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    query: Annotated[str, Meta(max_length=256)] | None = None
    cart: Annotated[list[Text], Meta(max_length=200)] = msgspec.field(default_factory=list)


StrategyName = Literal[
    "for_you",
    "similar",
    "bought_together",
    "buy_again",
    "trending",
    "new_arrivals",
    "recently_viewed",
    "cart_complements",
    "popular",
]
Kinds = Annotated[list[Literal["product", "content"]], Meta(min_length=1, max_length=2)]
Where = Annotated[str, Meta(max_length=LONGEST)]


class PromotionIn(msgspec.Struct, forbid_unknown_fields=True):
    """A share of the places for what the shop promotes: some items, or those of an expression. No rule yields to it."""

    name: Text
    share: Annotated[float, Meta(gt=0, le=1)]
    items: Annotated[list[Text], Meta(min_length=1, max_length=1_000)] | None = None
    where: Where | None = None


class RecommendationsIn(msgspec.Struct, forbid_unknown_fields=True):
    """For whom (at most one of the ids; none: a newcomer), how many, and what may be among them."""

    customer_id: UUID | None = None
    user_id: Text | None = None
    anonymous_id: Text | None = None
    signature: Annotated[str, Meta(max_length=128)] | None = None
    n: Annotated[int, Meta(ge=1, le=100)] | None = None
    exclude: Annotated[list[Text], Meta(max_length=1_000)] = msgspec.field(default_factory=list)
    exclude_seen: bool | None = None
    filter: FilterIn = msgspec.field(default_factory=FilterIn)
    slot: Annotated[str, Meta(max_length=63)] | None = None
    strategy: StrategyName | None = None
    where: Where | None = None
    kinds: Kinds | None = None
    context: ContextIn = msgspec.field(default_factory=ContextIn)
    promotions: Annotated[list[PromotionIn], Meta(max_length=5)] = msgspec.field(default_factory=list)


class NextIn(msgspec.Struct, forbid_unknown_fields=True):
    """The page after an answer: its `next`, and how many items (none: as many as before)."""

    next: Annotated[str, Meta(min_length=4, max_length=LONGEST_NEXT)]
    n: Annotated[int, Meta(ge=1, le=100)] | None = None


class MultiIn(msgspec.Struct, forbid_unknown_fields=True):
    """Several requests, each as to POST /v1/recommendations. `distinct`: no item in two of the answers."""

    requests: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_REQUESTS)]
    distinct: bool = False


class BatchIn(msgspec.Struct, forbid_unknown_fields=True):
    """Recommendations for many customers at once, as campaigns need them."""

    customer_ids: Annotated[list[UUID], Meta(min_length=1, max_length=MOST_CUSTOMERS)]
    n: Annotated[int, Meta(ge=1, le=100)] | None = None
    exclude: Annotated[list[Text], Meta(max_length=1_000)] = msgspec.field(default_factory=list)
    exclude_seen: bool | None = None
    filter: FilterIn = msgspec.field(default_factory=FilterIn)
    slot: Annotated[str, Meta(max_length=63)] | None = None
    strategy: StrategyName | None = None
    where: Where | None = None
    kinds: Kinds | None = None


class SignatureIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whose id to sign (exactly one), and for how many seconds; null: for ever."""

    customer_id: UUID | None = None
    user_id: Text | None = None
    expires_in: Annotated[int, Meta(ge=60, le=LONGEST_SIGNED_S)] | None = SIGNED_S


class InWords(msgspec.Struct):
    """A reason for people to read."""

    en: str
    zh: str


class RecommendedItem(msgspec.Struct):
    """One item of an answer."""

    item_id: str
    kind: str
    name: str
    price_minor: int | None
    currency: str | None
    url: str | None
    image_url: str | None
    score: float
    reason: str
    reason_text: InWords
    due_on: date | msgspec.UnsetType = msgspec.UNSET
    promoted: str | msgspec.UnsetType = msgspec.UNSET
    explored: bool | msgspec.UnsetType = msgspec.UNSET
    propensity: float | msgspec.UnsetType = msgspec.UNSET


class ShortfallOut(msgspec.Struct):
    """Why there are fewer items than asked for."""

    reason: str
    requested: int
    returned: int
    in_catalogue: int
    on_sale: int
    match_filter: int
    in_price_band: int
    not_excluded: int
    proposed: int


class ExperimentOut(msgspec.Struct):
    """The experiment that the slot runs, and the variant that the person has."""

    id: str
    variant: str


class RecommendationsOut(msgspec.Struct):
    """An answer. `personal` says whether the person's history was used; `shortfall` is null where all n are there.

    `next`: for POST /v1/recommendations/next; null where there is nothing left. `currency`: the shop's own, which a
    page may write by its bare sign.
    """

    recommendation_id: UUID
    strategy: str
    model_version: str | None
    personal: bool
    items: list[RecommendedItem]
    shortfall: ShortfallOut | None
    slot: str | None
    next: str | None
    strategies: list[str]
    experiment: ExperimentOut | None
    currency: str


class ProblemOut(msgspec.Struct):
    """What is wrong with one of several requests."""

    status: int
    title: str
    code: str
    detail: str
    errors: list[dict[str, str]] = msgspec.field(default_factory=list)


class Refused(msgspec.Struct):
    """In the place of an answer."""

    problem: ProblemOut


class BatchOut(msgspec.Struct):
    """Answers by the customer ids that were sent; `shortfalls` names those with fewer items, and why.

    Of a slot each customer's answer has an id of its own in `recommendation_ids`, to be sent back with what was shown
    and clicked; where an experiment runs in it, `experiments` says who has which variant.
    """

    recommendation_id: UUID
    model_version: str | None
    results: dict[UUID, list[RecommendedItem]]
    shortfalls: dict[UUID, ShortfallOut]
    recommendation_ids: dict[UUID, UUID]
    experiments: dict[UUID, ExperimentOut]


class SignatureOut(msgspec.Struct):
    """What a storefront sends beside the id; what stands before its point is when it ends, in seconds since 1970."""

    signature: str


def documented(body: type[msgspec.Struct] | None, reply: type[msgspec.Struct]) -> dict[str, object]:
    """OpenAPI of a route whose body and reply are msgspec structs (for blp.doc)."""
    doc: dict[str, object] = {
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": _schema(reply)}}}}
    }
    if body is not None:
        doc["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(body)}}}
    return doc


def _schema(kind: type[msgspec.Struct]) -> object:
    """The JSON schema of a struct with the structs inside it written out in place."""
    (root,), parts = msgspec.json.schema_components([kind], ref_template="{name}")

    def expand(node: object) -> object:
        if isinstance(node, dict):
            return expand(parts[node["$ref"]]) if "$ref" in node else {k: expand(v) for k, v in node.items()}
        return [expand(one) for one in node] if isinstance(node, list) else node

    return expand(root)


def documented_multi() -> dict[str, object]:
    """OpenAPI of several requests in one call: an answer or a problem for each, in their order."""
    asked: dict[str, Any] = {
        "type": "object",
        "required": ["requests"],
        "properties": {
            "requests": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_REQUESTS,
                "items": _schema(RecommendationsIn),
            },
            "distinct": {"type": "boolean", "description": "No item in two of the answers."},
        },
    }
    replies = {"type": "array", "items": {"anyOf": [_schema(RecommendationsOut), _schema(Refused)]}}
    told = {"type": "object", "required": ["replies"], "properties": {"replies": replies}}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": told}}}},
    }
