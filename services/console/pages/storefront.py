"""The sample shop: public pages on the shop's own catalogue, with the widget in them.

These pages are what a shop's own server would make. What happens in them reaches the platform only by the public APIs.
"""

import re
from typing import Any, Final
from urllib.parse import quote, unquote

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import sample_shop as actions
from services.console.actions.sample_shop import SampleShop
from services.console.pages.errors import page_blueprint
from services.console.pages.formats import to_major
from services.console.pages.items import STRATEGIES
from services.console.pages.session import check_form, cookie_name, own_path, set_cookie
from shared.auth import public
from shared.client import SiblingDown
from shared.problems import NotFound
from shared.shop import shop

blp = page_blueprint("storefront", __name__)

_ROWS: Final = 24
_NAMED: Final = 18  # categories in the menu
_ANONYMOUS: Final = re.compile(r"[\w-]{8,100}\Z")
_DAY_S: Final = 24 * 3600
# As the console's own, but for the pictures of the catalogue, which lie wherever the shop keeps them.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https: http:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@blp.get("/storefront")
@public
def home() -> Response:
    """The first page: for you, popular, seen lately."""
    return _page("home")


@blp.get("/storefront/categories")
@public
def categories() -> Response:
    """All categories."""
    return _page("categories", every=_categories())


@blp.get("/storefront/category/<path:name>")
@public
def category(name: str) -> Response:
    """The items of one category."""
    found = _list(category=name)
    return _page("category", name=name, found=found, act=("Product List Viewed", {"category": name}))


@blp.get("/storefront/search")
@public
def search() -> Response:
    """The items that hold a word."""
    typed = request.args.get("q", "").strip()[:100]
    found = _list(q=typed) if typed else None
    act = ("Products Searched", {"query": typed}) if typed else None
    return _page("search", typed=typed, found=found, act=act)


@blp.get("/storefront/item/<path:item_id>")
@public
def item(item_id: str) -> Response:
    """One item."""
    actions.entered()
    found = _shown(actions.catalogue(f"/v1/items/{quote(item_id, safe='')}"))
    product = _product(found)
    return _page("item", item=found, product=product, act=("Product Viewed", product))


@blp.get("/storefront/cart")
@public
def cart() -> Response:
    """What was put into the cart, which only the browser knows."""
    return _page("cart")


@blp.post("/storefront/log-in")
@public
def log_in() -> Response:
    """Be one of the shoppers; the visit so far goes along."""
    check_form()
    found = actions.entered()
    shopper = found.shopper(request.form.get("shopper"))
    if shopper is None:
        raise NotFound("there is no such shopper")
    anonymous_id = request.form.get("anonymous_id", "")
    actions.log_in(shopper["user_id"], anonymous_id if _ANONYMOUS.match(anonymous_id) else None)
    response = _back()
    set_cookie(response, "shopper", quote(shopper["user_id"], safe=""), _DAY_S)
    return response


@blp.post("/storefront/log-out")
@public
def log_out() -> Response:
    """Be nobody again."""
    check_form()
    response = _back()
    response.delete_cookie(cookie_name("shopper"))
    return response


def _page(template: str, **what: Any) -> Response:
    """A page of the sample shop. Raises NotFound while it is closed."""
    found = actions.entered()
    shopper, signed = _shopper(found)
    act = what.pop("act", None)
    page = render_template(
        f"storefront/{template}.html",
        sample=found,
        shopper=shopper,
        signed=signed,
        act={"event": act[0], "properties": act[1]} if act else None,
        menu=_menu(),
        words=_words(),
        **what,
    )
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _shopper(found: SampleShop) -> tuple[dict[str, str] | None, str | None]:
    """Whom this visitor plays, with the shop's signature."""
    shopper = found.shopper(unquote(request.cookies.get(cookie_name("shopper"), "")))
    if shopper is None:
        return None, None
    try:
        return shopper, actions.signature(shopper["user_id"])
    except SiblingDown:
        return shopper, None


def _categories() -> list[dict[str, Any]]:
    actions.entered()
    rows = actions.catalogue("/v1/categories")["items"]
    return [{**row, "name": row["category"][-1]} for row in rows if row["category"] and row["on_sale"]]


def _menu() -> list[str]:
    """The largest categories, in the order of the alphabet; without an answer the menu is empty."""
    try:
        rows = _categories()
    except SiblingDown:
        return []
    largest = sorted(rows, key=lambda row: -row["on_sale"])[:_NAMED]
    return sorted({row["name"] for row in largest})


def _list(**params: Any) -> dict[str, Any]:
    actions.entered()
    cursor = request.args.get("cursor")
    page = actions.catalogue("/v1/items", limit=_ROWS, **params, **({"cursor": cursor} if cursor else {}))
    return {**page, "items": [_shown(one) for one in page["items"] if one["available"]]}


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "sold_out": not found["available"] or found["stock"] == 0}


def _product(found: dict[str, Any]) -> dict[str, Any]:
    """An item as Segment's specification writes it in an event."""
    priced = found["price_minor"] is not None
    return {
        "product_id": found["item_id"],
        "name": found["name"],
        "category": " > ".join(found["category"]) or None,
        "price": float(to_major(found["price_minor"], found["currency"])) if priced else None,
        "currency": found["currency"] if priced else shop().currency,
    }


def _words() -> dict[str, Any]:
    """What the scripts say."""
    return {
        "events": {
            "Product Viewed": gettext("Looked at"),
            "Product List Viewed": gettext("Looked through"),
            "Products Searched": gettext("Searched for"),
            "Product Added": gettext("Put into the cart"),
            "Product Removed": gettext("Took out of the cart"),
            "Order Completed": gettext("Ordered"),
            "Recommendation Shown": gettext("Saw recommendations"),
            "Recommendation Clicked": gettext("Clicked a recommendation"),
        },
        "strategies": {name: str(label) for name, label in STRATEGIES.items()},
        "added": gettext("It is in the cart."),
        "ordered": gettext("Thank you. The order is in the log, and nothing will be delivered."),
        "fewer": gettext("One fewer"),
        "more": gettext("One more"),
        "remove": gettext("Remove"),
        "changed": gettext("%(count)s new since the last act", count="{count}"),
        "unchanged": gettext("the same as before"),
        "personal": gettext("from this customer's history"),
        "session": gettext("from this visit only"),
    }


def _back() -> Response:
    target = own_path(request.form.get("next"), url_for("storefront.home"))
    return redirect(target if target.startswith("/storefront") else url_for("storefront.home"))  # type: ignore[return-value]
