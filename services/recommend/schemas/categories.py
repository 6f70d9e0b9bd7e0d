"""Contracts of the catalogue's categories."""

import marshmallow as ma


class CategoryOut(ma.Schema):
    """One category."""

    category = ma.fields.List(ma.fields.String(), metadata={"description": "A path, the broadest first; [] is none."})
    items = ma.fields.Integer(metadata={"description": "How many items have exactly this path."})
    on_sale = ma.fields.Integer(metadata={"description": "How many of them can be bought now."})


class CategoryList(ma.Schema):
    """All categories that items are in."""

    items = ma.fields.List(ma.fields.Nested(CategoryOut))
