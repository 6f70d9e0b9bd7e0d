"""Opening and closing the sample shop, and whom its visitors may play: a part of the shop's settings."""

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from services.console.actions import sample_shop as actions
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from services.console.schemas.sample_shop import SampleShop
from shared.problems import PreconditionFailed

blp = page_blueprint("sample_shop", __name__)


@blp.post("/shop/sample")
@page("shop:write")
def save() -> Response:
    """Change it, unless somebody else did meanwhile."""
    wanted = {"open": request.form.get("open") == "yes", "shoppers": shoppers(request.form.get("shoppers", ""))}
    try:
        actions.update(SampleShop().load(wanted), request.form.get("version", type=int), person().actor)
        flash(gettext("The settings are saved."), "done")
    except ValidationError:
        flash(gettext("At most 20 shoppers, each a user id and a few words."), "error")
    except PreconditionFailed:
        flash(gettext("Somebody else changed the settings meanwhile. Look at theirs, then repeat yours."), "error")
    return redirect(url_for("shop.show") + "#sample")  # type: ignore[return-value]


def shoppers(text: str) -> list[dict[str, str]]:
    """Lines of a user id and what to call them, as the API takes them; the last line about a user id holds."""
    parts = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    found = {user_id: " ".join(label).strip() for user_id, *label in parts}
    return [{"user_id": user_id, "label": label} for user_id, label in found.items()]
