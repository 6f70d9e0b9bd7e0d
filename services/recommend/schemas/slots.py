"""Contracts of slots."""

from typing import Any

import marshmallow as ma

from services.recommend.domain.expression_parser import LONGEST
from services.recommend.domain.slots import BANDS, KINDS, MOST_PROMOTIONS
from services.recommend.domain.strategies import ASKED

_STRATEGIES = sorted(ASKED)
_WHERE = {
    "description": 'An expression, such as `price < 50 and category in ("Tea", "Ware") and not attributes.adult`.'
}
_DAYS = 3650


def _where(**options: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(1, LONGEST), metadata=_WHERE, **options)


def _strategy(**options: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.OneOf(_STRATEGIES), **options)


def _share(highest: float, **options: Any) -> ma.fields.Float:
    return ma.fields.Float(validate=ma.validate.Range(0, highest), **options)


class _Strict(ma.Schema):
    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE


class Title(_Strict):
    """What stands above the items."""

    en = ma.fields.String(load_default="", validate=ma.validate.Length(max=100))
    zh = ma.fields.String(load_default="", validate=ma.validate.Length(max=100))


class Exclude(_Strict):
    """What a person has had to do with and is not shown."""

    bought = ma.fields.Boolean(load_default=True)
    bought_within_days = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, _DAYS))
    viewed = ma.fields.Boolean(load_default=False)
    in_cart = ma.fields.Boolean(load_default=True)


class Pin(_Strict):
    """An item with a place of its own, the first being 1. It never overrides a filter, an exclusion or the stock."""

    item_id = ma.fields.String(required=True, validate=ma.validate.Length(1, 256))
    position = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 100))


class BoostField(_Strict):
    """Items whose score is multiplied; a factor below 1 buries them."""

    where = _where(required=True)
    factor = ma.fields.Float(required=True, validate=ma.validate.Range(0.1, 10))


class QuotaField(_Strict):
    """At most so many items of one category, brand, or value of an attribute."""

    by = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, 256),
        metadata={"description": "`category`, `brand`, or the name of an attribute."},
    )
    most = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 100))


class PriceBandField(_Strict):
    """Prices from `low` to `high` times that of the item, the mean of the cart, or the median of what was bought."""

    of = ma.fields.String(required=True, validate=ma.validate.OneOf(BANDS))
    low = ma.fields.Float(required=True, validate=ma.validate.Range(0, 100))
    high = ma.fields.Float(required=True, validate=ma.validate.Range(0, 100, min_inclusive=False))


class PromotionField(_Strict):
    """A share of the places for what the shop promotes: some items, or those of an expression. No rule yields to it."""

    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 256))
    share = ma.fields.Float(required=True, validate=ma.validate.Range(0, 1, min_inclusive=False))
    items = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 256)),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, 1_000),
    )
    where = _where(load_default=None, allow_none=True)


class Variable(_Strict):
    """What a slot has, and a variant of its experiment may have otherwise."""

    strategy = _strategy()
    fallbacks = ma.fields.List(_strategy(), validate=ma.validate.Length(max=len(_STRATEGIES)))
    n = ma.fields.Integer(validate=ma.validate.Range(1, 100))
    where = _where(allow_none=True)
    exclude = ma.fields.Nested(Exclude)  # type: ignore[assignment]  # the class of a schema has no such thing
    pins = ma.fields.List(ma.fields.Nested(Pin), validate=ma.validate.Length(max=50))
    boosts = ma.fields.List(ma.fields.Nested(BoostField), validate=ma.validate.Length(max=20))
    quotas = ma.fields.List(ma.fields.Nested(QuotaField), validate=ma.validate.Length(max=10))
    diversity = _share(1.0, metadata={"description": "0: by score alone; towards 1: the more unlike each other."})
    price_band = ma.fields.Nested(PriceBandField, allow_none=True)
    explore_share = _share(0.2, metadata={"description": "The share of places for new items."})
    promotions = ma.fields.List(ma.fields.Nested(PromotionField), validate=ma.validate.Length(max=MOST_PROMOTIONS))


class Variant(_Strict):
    """One arm of an experiment: a share of the people, and what is done otherwise for them."""

    name = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[a-z0-9][a-z0-9_-]{0,62}\Z"))
    share = _share(1.0, required=True)
    strategy = _strategy(allow_none=True)
    overrides = ma.fields.Nested(Variable)


class Experiment(_Strict):
    """Which strategy earns more: people are divided by a hash of who they are and `salt`, and stay where they are."""

    id = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    salt = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    variants = ma.fields.List(ma.fields.Nested(Variant), required=True, validate=ma.validate.Length(2, 10))
    started_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)


class SlotIn(Variable):
    """A slot as people set it; what is left out has its usual value."""

    title = ma.fields.Nested(Title, load_default=dict)
    kinds = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(KINDS)),
        load_default=lambda: ["product"],
        validate=ma.validate.Length(1, len(KINDS)),
    )
    strategy = _strategy(required=True)
    fallbacks = ma.fields.List(_strategy(), load_default=list, validate=ma.validate.Length(max=len(_STRATEGIES)))
    n = ma.fields.Integer(load_default=10, validate=ma.validate.Range(1, 100))
    where = _where(load_default=None, allow_none=True)
    exclude = ma.fields.Nested(Exclude, load_default=lambda: Exclude().load({}))
    pins = ma.fields.List(ma.fields.Nested(Pin), load_default=list, validate=ma.validate.Length(max=50))
    boosts = ma.fields.List(ma.fields.Nested(BoostField), load_default=list, validate=ma.validate.Length(max=20))
    quotas = ma.fields.List(ma.fields.Nested(QuotaField), load_default=list, validate=ma.validate.Length(max=10))
    diversity = _share(1.0, load_default=0.0, metadata=Variable._declared_fields["diversity"].metadata)
    price_band = ma.fields.Nested(PriceBandField, load_default=None, allow_none=True)
    explore_share = _share(0.2, load_default=0.0, metadata=Variable._declared_fields["explore_share"].metadata)
    promotions = ma.fields.List(
        ma.fields.Nested(PromotionField), load_default=list, validate=ma.validate.Length(max=MOST_PROMOTIONS)
    )
    experiment = ma.fields.Nested(Experiment, load_default=None, allow_none=True)


class SlotOut(SlotIn):
    """A slot in its current version."""

    name = ma.fields.String()
    version = ma.fields.Integer()
    updated_at = ma.fields.AwareDateTime()


class PreviewIn(_Strict):
    """Settings to try, and for whom."""

    slot = ma.fields.Nested(SlotIn, required=True)
    request = ma.fields.Dict(load_default=dict, metadata={"description": "As to POST /v1/recommendations."})


class SlotPage(ma.Schema):
    """All slots, by name."""

    items = ma.fields.List(ma.fields.Nested(SlotOut))
