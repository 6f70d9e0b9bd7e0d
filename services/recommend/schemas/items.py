"""Contracts of the catalogue. What machines send in bulk is read by msgspec; replies are documented by marshmallow."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import marshmallow as ma
import msgspec
from msgspec import Meta

MOST_ITEMS = 5_000

Id = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^\S(.*\S)?$")]
Text = Annotated[str, Meta(max_length=1_000)]
Name = Annotated[str, Meta(min_length=1, max_length=1_000)]
Address = Annotated[str, Meta(max_length=4_000)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class ItemIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One item as a shop sends it; what is left out is empty, also where the item had it before."""

    item_id: Id
    name: Name
    category: Text | Annotated[list[Text], Meta(max_length=10)] | None = None
    brand: Text | None = None
    price: Decimal | None = None
    currency: Currency | None = None
    available: bool = True
    stock: Annotated[int, Meta(ge=-(2**31), lt=2**31)] | None = None
    url: Address | None = None
    image_url: Address | None = None
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)
    published_at: Annotated[datetime, Meta(tz=True)] | None = None
    kind: Literal["product", "content"] = "product"


class ItemsIn(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PUT /v1/items; the items are read one by one, so that each can be told what is wrong with it."""

    items: list[msgspec.Raw]


class ItemOut(ma.Schema):
    """One item of the catalogue."""

    item_id = ma.fields.String()
    kind = ma.fields.String(metadata={"description": "`product`, or `content` (an article, a video …)."})
    name = ma.fields.String()
    category = ma.fields.List(ma.fields.String(), metadata={"description": "A path, the broadest first."})
    brand = ma.fields.String(allow_none=True)
    price_minor = ma.fields.Integer(allow_none=True, metadata={"description": "In the currency's minor unit."})
    currency = ma.fields.String(allow_none=True)
    available = ma.fields.Boolean()
    stock = ma.fields.Integer(allow_none=True)
    url = ma.fields.String(allow_none=True)
    image_url = ma.fields.String(allow_none=True)
    attributes = ma.fields.Dict()
    published_at = ma.fields.AwareDateTime(allow_none=True)
    updated_at = ma.fields.AwareDateTime()


class AvailabilityIn(ma.Schema):
    """What changes by the hour; what is left out stays as it is."""

    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    available = ma.fields.Boolean()
    stock = ma.fields.Integer(
        strict=True,
        allow_none=True,
        validate=ma.validate.Range(-(2**31), 2**31 - 1),
        metadata={"description": "null: not counted."},
    )


class ItemPage(ma.Schema):
    """A page of items."""

    items = ma.fields.List(ma.fields.Nested(ItemOut))
    next_cursor = ma.fields.String(allow_none=True)


class ItemQuery(ma.Schema):
    """Which items to list."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = ma.RAISE

    cursor = ma.fields.String()
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 500))
    q = ma.fields.String(metadata={"description": "Looked for in name, brand and id."})
    category = ma.fields.String(metadata={"description": "Anywhere on the item's path."})


class ItemsPut(ma.Schema):
    """What a bulk request did."""

    items = ma.fields.Integer(metadata={"description": "How many items were written."})
    version = ma.fields.Integer(metadata={"description": "The version of the catalogue since then."})


class SimilarQuery(ma.Schema):
    """How many similar items."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = ma.RAISE

    n = ma.fields.Integer(load_default=10, validate=ma.validate.Range(1, 100))
