"""The script that puts recommendations into a shop's own pages, at an address that stays."""

from typing import Final

from flask import Response, request

from services.console.pages.errors import page_blueprint
from services.console.pages.shell import STATIC
from shared.auth import public

blp = page_blueprint("widget", __name__)

FILE: Final = "widget.js"
_KEPT_S: Final = 3600  # a shop gets a new version within the hour, without changing its pages


@blp.get(f"/{FILE}")
@public
def script() -> Response:
    """The widget, for any page of any site."""
    response = Response((STATIC / "built" / FILE).read_bytes(), mimetype="text/javascript")
    response.add_etag()
    response.headers["Cache-Control"] = f"public, max-age={_KEPT_S}"
    response.headers["Access-Control-Allow-Origin"] = "*"  # for pages that check its hash
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
