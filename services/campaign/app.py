"""The campaign service's web app: templates, campaigns, reports, and the public links of messages."""

from pathlib import Path

from flask import Flask

from services.campaign.actions.standing import standing
from services.campaign.api import campaigns, messages, policy, suppressions, templates
from services.campaign.channels import outside
from services.campaign.domain.campaigns import CampaignError, StateError
from services.campaign.domain.liquid import TemplateError
from services.campaign.pages import language, links
from shared import web
from shared.config import Settings, load_settings
from shared.problems import Conflict, Invalid

HERE = Path(__file__).parent


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask app, wired."""
    settings = settings or load_settings("campaign")
    outside.configure(settings)
    app = web.create_app(
        settings,
        [templates.blp, campaigns.blp, messages.blp, suppressions.blp, policy.blp, links.blp],
        errors={TemplateError: Invalid, CampaignError: Invalid, StateError: Conflict},
        title="Zhike campaign",
        stands=standing,
        template_folder=str(HERE / "templates"),
    )
    language.install(app)
    return app
