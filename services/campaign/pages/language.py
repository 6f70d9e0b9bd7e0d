"""The language of the public pages: the browser's, among those we speak."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request
from flask_babel import Babel, Domain, get_locale

TRANSLATIONS: Final = Path(__file__).resolve().parent.parent / "translations"
_SPOKEN: Final = {"en": "en", "zh": "zh_Hans_CN", "zh-CN": "zh_Hans_CN", "zh-Hans": "zh_Hans_CN"}


class _Catalogues(Domain):
    """Translations straight from the .po files: nothing to compile and forget."""

    def get_translations(self) -> NullTranslations:
        return _catalogue(str(get_locale()))


def install(app: Flask) -> None:
    """Give the app its languages."""
    Babel(app, locale_selector=_chosen).domain_instance = _Catalogues()
    app.jinja_env.globals["language"] = lambda: _chosen().partition("_")[0]


def _chosen() -> str:
    return _SPOKEN[request.accept_languages.best_match(tuple(_SPOKEN), "en")]


@cache
def _catalogue(language: str) -> NullTranslations:
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if language == "en" or not path.is_file():
        return NullTranslations()  # the texts are written in English
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)
