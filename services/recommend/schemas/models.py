"""Contracts of the model registry."""

import marshmallow as ma


class ModelOut(ma.Schema):
    """One published model."""

    version = ma.fields.String()
    as_of = ma.fields.AwareDateTime(metadata={"description": "It has seen nothing that happened later."})
    log_position = ma.fields.Integer(metadata={"description": "How far the event log was read."})
    started_at = ma.fields.AwareDateTime()
    published_at = ma.fields.AwareDateTime()
    path = ma.fields.String(allow_none=True, metadata={"description": "null: its files are gone."})
    manifest = ma.fields.Dict(metadata={"description": "Parameters, counts and figures."})


class TrainingOut(ma.Schema):
    """What was asked of the trainer, when it last began, and how it last failed."""

    requested_at = ma.fields.AwareDateTime(allow_none=True)
    started_at = ma.fields.AwareDateTime(allow_none=True)
    failed_at = ma.fields.AwareDateTime(allow_none=True)
    failure = ma.fields.String(allow_none=True)


class ModelPage(ma.Schema):
    """Models, newest first, and the state of the trainer."""

    items = ma.fields.List(ma.fields.Nested(ModelOut))
    next_cursor = ma.fields.String(allow_none=True)
    training = ma.fields.Nested(TrainingOut)


class ModelQuery(ma.Schema):
    """Which models to list."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = ma.RAISE

    cursor = ma.fields.String()
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))
