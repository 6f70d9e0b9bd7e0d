"""What surrounds every page: navigation by role, the shop's state, headers that keep the browser on guard."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, current_app, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_babel import get_locale, lazy_gettext
from flask_babel.speaklater import LazyString

from services.console.pages import labels
from services.console.pages.language import LANGUAGES
from services.console.pages.session import cookie_name, form_token, keep_form_cookie, over_tls, visitor
from shared import telemetry
from shared.auth import public
from shared.crypto import signing_key
from shared.shop import shop

STATIC: Final = Path(__file__).resolve().parent.parent / "static"

_FILES: Final = ("static", "scripts")

# Scripts, styles, pictures from here only, nothing inline; no other site may frame us. Charts draw on a canvas.
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    endpoint: str
    label: LazyString
    icon: str
    permission: str
    also: tuple[str, ...] = ()  # further blueprints whose pages belong to it


NAVIGATION: Final = (
    (
        None,
        (
            Entry("overview.show", lazy_gettext("Overview"), "overview", "overview:read"),
            Entry("customers.search", lazy_gettext("Customers"), "customers", "customers:read"),
            Entry("segments.index", lazy_gettext("Segments"), "segments", "segments:read"),
            Entry("campaigns.index", lazy_gettext("Campaigns"), "campaigns", "campaigns:read"),
            Entry("templates.index", lazy_gettext("Templates"), "templates", "campaigns:read"),
            Entry(
                "recommendations.show",
                lazy_gettext("Recommendations"),
                "recommendations",
                "recommendations:read",
                ("slots", "catalogue", "experiments", "models", "audiences"),
            ),
        ),
    ),
    (
        lazy_gettext("Administration"),
        (
            Entry("system.show", lazy_gettext("System"), "system", "system:read"),
            Entry("rejected.index", lazy_gettext("Rejected events"), "rejected", "events:read"),
            Entry("shop.show", lazy_gettext("Shop settings"), "shop", "shop:read"),
            Entry("keys.index", lazy_gettext("API keys"), "keys", "keys:write"),
            Entry("users.index", lazy_gettext("Users"), "people", "users:write"),
            Entry("audit.index", lazy_gettext("Audit log"), "audit", "audit:read"),
            Entry("reference.index", lazy_gettext("API reference"), "reference", ""),
        ),
    ),
)


def install(app: Flask) -> None:
    """Give the app its frame, its headers and its static files."""
    app.session_interface = SecureCookieSessionInterface()
    app.secret_key = signing_key("console-flash")
    app.config.update(
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=app.config["SETTINGS"].public_url.startswith("https:"),
        SEND_FILE_MAX_AGE_DEFAULT=365 * 24 * 3600,
    )
    with app.app_context():
        app.config["SESSION_COOKIE_NAME"] = cookie_name("notes")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        module=module,
        languages=LANGUAGES,
        csrf_token=form_token,
        lifecycle_names=labels.LIFECYCLE,
        rfm_names=labels.RFM,
        campaign_names=labels.CAMPAIGN,
        send_names=labels.SEND,
        job_names=labels.JOBS,
        job_states=labels.JOB_STATES,
    )
    app.context_processor(_frame)
    app.after_request(_guard)
    app.add_url_rule("/static/scripts-<version>/<path:name>", "scripts", _script)
    for endpoint in _FILES:
        public(app.view_functions[endpoint])


def asset(name: str) -> str:
    """The address of one of our static files; it changes with the content, so browsers may keep it for a year."""
    return url_for("static", filename=name, v=_fingerprint(name))


def module(name: str) -> str:
    """The address of a script that imports others by their place beside it.

    What it imports has no address of ours to change, so the version of all scripts stands in the path of each.
    """
    return url_for("scripts", version=version_of_scripts(), name=name)


def _script(version: str, name: str) -> Response:
    reply = current_app.send_static_file(f"js/{name}")
    if version != version_of_scripts():  # of another release that is being replaced: not to be kept under this name
        reply.headers["Cache-Control"] = "no-store"
    return reply


@cache
def version_of_scripts() -> str:
    """What changes when any of the scripts does."""
    whole = sha256()
    for path in sorted((STATIC / "js").rglob("*.js")):
        whole.update(f"{path.relative_to(STATIC)}\0".encode() + path.read_bytes())
    return whole.hexdigest()[:10]


@cache
def _fingerprint(name: str) -> str:
    path = STATIC / name
    return sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "missing"


def _frame() -> dict[str, Any]:
    found = visitor()
    locale = get_locale()
    return {
        "me": found,
        "shop": shop(),
        "request_id": telemetry.request_id(),
        "language": str(locale),
        "language_tag": "zh-Hans" if locale and locale.language == "zh" else "en",
        "navigation": _navigation() if found and not found.must_set_up else (),
    }


def _navigation() -> list[tuple[LazyString | None, list[dict[str, Any]]]]:
    found = visitor()
    here = request.blueprint
    groups = []
    for title, entries in NAVIGATION:
        shown = [
            {
                "address": url_for(entry.endpoint),
                "label": entry.label,
                "icon": entry.icon,
                "here": here in (entry.endpoint.partition(".")[0], *entry.also),
            }
            for entry in entries
            if not entry.permission or (found and found.may(entry.permission))
        ]
        if shown:
            groups.append((title, shown))
    return groups


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
    if over_tls():
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint in _FILES:
        return response
    response.headers.setdefault("Cache-Control", "no-store")
    return keep_form_cookie(response)
