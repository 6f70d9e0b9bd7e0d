"""The Flask app of segmentation."""

from flask import Flask

from services.segmentation.actions.standing import standing
from services.segmentation.api import insights, recompute, segments
from services.segmentation.domain.rules import RuleError
from services.segmentation.store.memberships import RuleTimeoutError
from services.segmentation.store.segments import NameTakenError
from shared import web
from shared.config import Settings, load_settings
from shared.problems import Conflict, Invalid


def create_app(settings: Settings | None = None) -> Flask:
    """The service, ready to serve."""
    return web.create_app(
        settings or load_settings("segmentation"),
        [segments.blp, insights.blp, recompute.blp],
        errors={RuleError: Invalid, RuleTimeoutError: Invalid, NameTakenError: Conflict},
        title="Zhike segmentation",
        stands=standing,
    )
