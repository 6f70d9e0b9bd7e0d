"""The Flask app of recommend."""

from flask import Flask

from services.recommend.actions import served, shelf
from services.recommend.actions.standing import standing
from services.recommend.api import (
    audiences,
    categories,
    experiments,
    items,
    models,
    off_policy,
    recommendations,
    reports,
    slots,
)
from services.recommend.artifacts import models as artifacts
from services.recommend.domain.filters import FilterError
from services.recommend.domain.items import ItemError
from services.recommend.domain.pages import PageError
from services.recommend.domain.slots import SlotError
from shared.config import Settings, load_settings
from shared.problems import BadRequest, Invalid
from shared.web import create_app as create_web_app


def create_app(settings: Settings | None = None) -> Flask:
    """The service, ready to serve; its memory fills with the first request."""
    settings = settings or load_settings("recommend")
    artifacts.configure(settings.artifacts_url)
    shelf.forget()
    served.forget()
    return create_web_app(
        settings,
        [
            items.blp,
            categories.blp,
            recommendations.blp,
            models.blp,
            slots.blp,
            audiences.blp,
            experiments.blp,
            off_policy.blp,
            reports.blp,
        ],
        errors={FilterError: Invalid, ItemError: Invalid, SlotError: Invalid, PageError: BadRequest},
        title="Zhike recommend",
        stands=standing,
    )
