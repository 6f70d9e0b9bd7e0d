"""What every list takes."""

import marshmallow as ma


class PageQuery(ma.Schema):
    """Where to go on, and how many."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = ma.RAISE

    cursor = ma.fields.String(metadata={"description": "`next_cursor` of the page before."})
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 500))
