"""The console's Flask app: pages for people, and the JSON of what it owns."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from services.console.actions.standing import standing
from services.console.api import audit as audit_api
from services.console.api import keys as keys_api
from services.console.api import sample_shop as sample_shop_api
from services.console.api import shop as shop_api
from services.console.api import system as system_api
from services.console.channels import mail
from services.console.domain.passwords import PasswordError
from services.console.pages import (
    account,
    audiences,
    audit,
    campaigns,
    catalogue,
    customers,
    drafting,
    errors,
    experiments,
    formats,
    keys,
    language,
    login,
    models,
    overview,
    recommendations,
    reference,
    rejected,
    reset,
    sample_shop,
    segments,
    shell,
    shop,
    slots,
    storefront,
    system,
    templates,
    two_step,
    users,
    widget,
)
from shared import web
from shared.config import Settings, load_settings
from shared.problems import Invalid

API = (shop_api, keys_api, audit_api, system_api, sample_shop_api)
PAGES = (
    *(language, login, reset, account, two_step, overview, customers, segments, drafting, campaigns, templates),
    *(recommendations, system, rejected, shop, keys, users, audit, reference, widget),
    *(storefront, sample_shop, slots, catalogue, models, experiments, audiences),
)


def create_app(settings: Settings | None = None) -> Flask:
    """The console, ready to serve."""
    settings = settings or load_settings("console")
    mail.configure(settings)
    app = web.create_app(
        settings,
        [module.blp for module in (*API, *PAGES)],
        errors={PasswordError: Invalid},
        title="Zhike console",
        stands=standing,
        static_folder="static",
        template_folder="templates",
    )
    for module in (language, formats, shell, errors):
        module.install(app)
    # The proxy in front says who asks and how; without it nobody reaches this port from outside.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app
