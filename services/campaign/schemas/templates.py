"""Contracts of templates."""

import marshmallow as ma

_SUBJECT = {"description": "Liquid."}
_HTML = {"description": "Liquid in HTML; `<style>` is inlined, scripts and forms are taken out."}
_TEXT = {"description": "Liquid; derived from `html` where it is missing."}


class _Parts(ma.Schema):
    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    subject = ma.fields.String(required=True, metadata=_SUBJECT)
    html = ma.fields.String(load_default="", metadata=_HTML)
    text = ma.fields.String(load_default=None, allow_none=True, metadata=_TEXT)


class TemplateIn(_Parts):
    """A template as it is written."""

    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class PreviewIn(_Parts):
    """An unsaved template, and for whom to render it."""

    name = ma.fields.String(load_default="")
    customer_id = ma.fields.UUID(load_default=None, allow_none=True, metadata={"description": "null: sample data."})
    recommend_n = ma.fields.Integer(load_default=4, validate=ma.validate.Range(0, 50))
    recommend_slot = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 63))


class Flaw(ma.Schema):
    """One thing to look at."""

    path = ma.fields.String(metadata={"description": "The part and the line: `html:12`."})
    message = ma.fields.String()


class TemplateSummary(ma.Schema):
    """A template in a list."""

    template_id = ma.fields.UUID()
    name = ma.fields.String()
    channel = ma.fields.String()
    version = ma.fields.Integer()
    subject = ma.fields.String()
    created_at = ma.fields.AwareDateTime()
    updated_at = ma.fields.AwareDateTime()


class TemplateOut(TemplateSummary):
    """A template in its current version."""

    html = ma.fields.String()
    text = ma.fields.String(allow_none=True)
    warnings = ma.fields.List(ma.fields.Nested(Flaw), metadata={"description": "After saving: probably misspelt."})


class TemplatePage(ma.Schema):
    """A page of templates."""

    items = ma.fields.List(ma.fields.Nested(TemplateSummary))
    next_cursor = ma.fields.String(allow_none=True)


class PreviewOut(ma.Schema):
    """A message as one customer would see it."""

    subject = ma.fields.String()
    html = ma.fields.String()
    text = ma.fields.String()
    items = ma.fields.List(ma.fields.Dict(), metadata={"description": "What was recommended."})
    recommend_fallback = ma.fields.String(
        allow_none=True,
        metadata={"description": "Why the slot was not asked: `slot_gone`; null: it was, or none is named."},
    )
    warnings = ma.fields.List(ma.fields.Nested(Flaw))
