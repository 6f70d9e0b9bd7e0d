"""Links between identities, and undoing them."""

from marshmallow import Schema, fields

from services.profile.schemas.paging import PageQuery


class MergeQuery(PageQuery):
    """Whose merges."""

    customer_id = fields.UUID(metadata={"description": "of this customer only"})


class End(Schema):
    """One of two linked identities."""

    identity_id = fields.UUID()
    kind = fields.Str()
    customer_id = fields.UUID()


class Merge(Schema):
    """Two identities that an event said were one person. `refused` says why they were not joined after all."""

    merge_id = fields.UUID(attribute="link_id")
    identities = fields.List(fields.Nested(End))
    live = fields.Bool(metadata={"description": "whether it joins the two now"})
    refused = fields.Str(allow_none=True)
    alias = fields.Bool()
    trusted = fields.Bool()
    evidence = fields.Str(metadata={"description": "message id of the event"})
    source = fields.Str()
    made_at = fields.DateTime()
    undone_at = fields.DateTime(allow_none=True)
    undone_by = fields.Str(allow_none=True)


class MergePage(Schema):
    """Merges, newest first."""

    items = fields.List(fields.Nested(Merge))
    next_cursor = fields.Str(allow_none=True)


class Undone(Schema):
    """What became of the two. `split` false: other links still hold them together."""

    merge_id = fields.UUID()
    undone_at = fields.DateTime()
    customers = fields.List(fields.UUID())
    split = fields.Bool()
