"""The API reference of every service, readable without a network."""

from typing import Final

from flask import Response, abort, render_template
from flask_babel import lazy_gettext

from services.console.actions.siblings import Ask, get
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from shared.contracts import SERVICES
from shared.web import json_bytes

blp = page_blueprint("reference", __name__)

ABOUT: Final = {
    "profile": lazy_gettext("Events in, customers, identities, consent."),
    "segmentation": lazy_gettext("Features, scores, segments, reports."),
    "recommend": lazy_gettext("Catalogue, models, recommendations."),
    "campaign": lazy_gettext("Templates, campaigns, messages, what they earned."),
    "console": lazy_gettext("Shop settings, API keys, the audit log."),
}


@blp.get("/reference")
@page()
def index() -> str:
    """The services."""
    return render_template("reference/index.html", services=[(name, ABOUT[name]) for name in SERVICES])


@blp.get("/reference/<service>")
@page()
def show(service: str) -> str:
    """The reference of one service."""
    if service not in SERVICES:
        abort(404)
    return render_template("reference/show.html", service=service, services=SERVICES)


@blp.get("/reference/<service>/openapi.json")
@page()
def document(service: str) -> Response:
    """The OpenAPI document, fetched from the service as it runs."""
    if service not in SERVICES:
        abort(404)
    return json_bytes(get(person(), Ask(service, "/openapi.json")))
