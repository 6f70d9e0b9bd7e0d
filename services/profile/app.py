"""The Flask app of profile."""

from flask import Flask

from services.profile.actions.standing import standing
from services.profile.api import collect, consents, customers, log, merges, rejected
from services.profile.domain.consent import ConsentError
from services.profile.domain.identifiers import IdentifierError
from shared.config import Settings, load_settings
from shared.problems import Invalid
from shared.web import create_app as create_shared_app


def create_app(settings: Settings | None = None) -> Flask:
    """Wire the routes of profile."""
    return create_shared_app(
        settings or load_settings("profile"),
        [collect.blp, customers.blp, consents.blp, merges.blp, rejected.blp, log.blp],
        errors={ConsentError: Invalid, IdentifierError: Invalid},
        title="Zhike profile: who the customer is",
        stands=standing,
    )
