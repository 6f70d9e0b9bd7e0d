"""Contracts of the model registry."""

import marshmallow as ma

STATUSES = ("serving", "ready", "retired", "not_published")


class ModelOut(ma.Schema):
    """One model: published, or tried and not published."""

    version = ma.fields.String()
    as_of = ma.fields.AwareDateTime(metadata={"description": "It has seen nothing that happened later."})
    log_position = ma.fields.Integer(metadata={"description": "How far the event log was read."})
    started_at = ma.fields.AwareDateTime()
    published_at = ma.fields.AwareDateTime(metadata={"description": "When its run ended."})
    serving_since = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "When it took over last; null: it did not beat the champion."}
    )
    status = ma.fields.String(
        validate=ma.validate.OneOf(STATUSES),
        metadata={
            "description": "serving: answers now. ready: served, and can be restored. retired: served, its files are "
            "gone. not_published: tried, and did not beat the champion."
        },
    )
    path = ma.fields.String(allow_none=True, metadata={"description": "null: it has no files (any more)."})
    manifest = ma.fields.Dict(
        metadata={
            "description": "Parameters, counts, and under figures.validation what the blend and each of its parts "
            "reach on the weeks held out: recall and NDCG with the half width of their 95 % interval, coverage, "
            "novelty."
        }
    )


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
