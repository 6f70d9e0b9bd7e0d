"""English and Chinese: which one a visitor reads, and the catalogue that is read from its .po at start."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, g, redirect, request
from flask_babel import Babel, Domain, get_locale

from services.console.actions import users
from services.console.pages.errors import page_blueprint
from services.console.pages.session import check_form, over_tls, own_path, visitor
from shared.auth import public
from shared.shop import shop

LANGUAGES: Final = {"en": "English", "zh_Hans_CN": "简体中文"}
TRANSLATIONS: Final = Path(__file__).resolve().parent.parent / "translations"
_YEAR_S: Final = 365 * 24 * 3600

blp = page_blueprint("language", __name__)


class Catalogues(Domain):
    """Translations straight from the committed .po files, so that there is nothing to compile and forget."""

    def get_translations(self) -> NullTranslations:
        """The translations into the language of this request."""
        return catalogue(str(get_locale()))


@cache
def catalogue(language: str) -> NullTranslations:
    """All translations into `language`; none for English, in which the texts are written."""
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if language not in LANGUAGES or not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def install(app: Flask) -> None:
    """Give the app its languages, and dates in the shop's time zone."""
    babel = Babel(app, locale_selector=chosen, timezone_selector=lambda: shop().time_zone)
    babel.domain_instance = Catalogues()


def chosen() -> str:
    """A person's own choice, else this browser's, else what the browser prefers, else the shop's."""
    if "language" not in g:
        found = visitor()
        wishes = [found.language if found else "", request.cookies.get("zhike_language", "")]
        g.language = next((wish for wish in wishes if wish in LANGUAGES), None) or _preferred()
    language: str = g.language
    return language


def _preferred() -> str:
    for tag, _quality in request.accept_languages:
        short = tag.lower().partition("-")[0]
        if short in ("zh", "en"):
            return "zh_Hans_CN" if short == "zh" else "en"
    return "zh_Hans_CN" if shop().locale.startswith("zh") else "en"


@blp.post("/language")
@public
def choose() -> Response:
    """Switch the language and go back to where one was."""
    check_form()
    wanted: Any = request.form.get("language")
    response = redirect(own_path(request.form.get("next")))
    if wanted in LANGUAGES:
        response.set_cookie("zhike_language", wanted, max_age=_YEAR_S, samesite="Lax", httponly=True, secure=over_tls())
        found = visitor()
        if found:
            users.set_language(found.user_id, wanted)
    return response  # type: ignore[return-value]
