"""The Flask app of profile."""

from flask import Flask

from services.profile.api import collect
from shared.config import Settings, load_settings
from shared.web import create_app as create_shared_app


def create_app(settings: Settings | None = None) -> Flask:
    """Wire the routes of profile."""
    return create_shared_app(
        settings or load_settings("profile"),
        [collect.blp],
        title="Zhike profile: who the customer is",
    )
