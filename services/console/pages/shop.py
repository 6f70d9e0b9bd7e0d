"""The shop's settings."""

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from babel.numbers import get_currency_name, get_territory_currencies
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from marshmallow import ValidationError

from services.console.actions import sample_shop
from services.console.actions import shop as actions
from services.console.actions.siblings import Ask, Change, ask, carry_out
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import SHOP_ERRORS
from services.console.pages.session import page, person
from services.console.schemas.shop import ShopSettings
from shared.problems import BadRequest, Invalid, PreconditionFailed
from shared.shop import forget

blp = page_blueprint("shop", __name__)

_TEXTS = (
    "name",
    "time_zone",
    "currency",
    "locale",
    "region",
    "public_url",
    "postal_address",
    "sender_email",
    "sender_name",
)


@blp.get("/shop")
@page("shop:read")
def show() -> Response:
    """All settings."""
    return _show(actions.get_shop())


@blp.post("/shop")
@page("shop:write")
def save() -> Response:
    """Change the settings, unless somebody else did meanwhile."""
    present = actions.get_shop()
    try:
        wanted = ShopSettings().load(_wanted())
    except (ValidationError, ValueError) as error:
        messages = error.messages_dict if isinstance(error, ValidationError) else {"business_clock": ""}
        return _show(present, {name: str(SHOP_ERRORS.get(name, "")) for name in messages}, 422)
    try:
        actions.update_shop(wanted, request.form.get("version", type=int), person().actor)
    except PreconditionFailed:
        flash(gettext("Somebody else changed the settings meanwhile. Look at theirs, then repeat yours."), "error")
        return _show(actions.get_shop(), status=412)
    forget()
    flash(gettext("The settings are saved."), "done")
    return _back()


@blp.post("/shop/sending")
@page("shop:write")
def switch_sending() -> Response:
    """The one switch that stops all sending, or lets it go on."""
    enabled = request.form.get("enabled") == "yes"
    actions.update_shop({"sending_enabled": enabled}, actor=person().actor)
    forget()
    flash(gettext("Sending is resumed.") if enabled else gettext("All sending is stopped."), "done")
    return _back()


@blp.post("/shop/policy")
@page("policy:write")
def save_policy() -> Response:
    """Quiet hours, frequency cap and when to give up, of promotional messages."""
    wanted: dict[str, Any] = {name: request.form.get(name, "") for name in ("quiet_start", "quiet_end")}
    wanted |= {name: request.form.get(name, type=int) for name in ("cap_messages", "cap_days", "expire_hours")}
    version = f'"{request.form.get("version", "")}"'
    try:
        carry_out(person(), Change("campaign", "PUT", "/v1/sending-policy", json=wanted, version=version))
        flash(gettext("The sending policy is saved."), "done")
    except PreconditionFailed:
        flash(gettext("Somebody else changed the settings meanwhile. Look at theirs, then repeat yours."), "error")
    except (Invalid, BadRequest):
        flash(gettext("Something in the sending policy is not right."), "error")
    return _back()


def _wanted() -> dict[str, Any]:
    form = request.form
    wanted: dict[str, Any] = {name: form.get(name, "").strip() for name in _TEXTS}
    restricted = form.get("audience") != "everybody"
    addresses = form.get("allow_list", "").replace(",", " ").split()
    wanted["allow_list"] = addresses if restricted else None
    days = form.get("events_kept_days", "").strip()
    wanted["events_kept_days"] = int(days) if days.isdecimal() else days or None
    clock = form.get("business_clock", "").strip()
    wanted["business_clock"] = _instant(clock, wanted["time_zone"]) if clock else None
    return wanted


def _instant(local: str, time_zone: str) -> str:
    zone = ZoneInfo(time_zone) if time_zone in available_timezones() else ZoneInfo("UTC")
    return datetime.fromisoformat(local).replace(tzinfo=zone).isoformat()


def _show(found: actions.ShopRecord, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    typed: Any = request.form if errors else {}
    clock = found.business_clock
    html = render_template(
        "shop.html",
        found=found,
        value=lambda name: typed.get(name, getattr(found, name)),
        allow_list=typed.get("allow_list", "\n".join(found.allow_list or [])),
        restricted=typed["audience"] != "everybody" if "audience" in typed else found.allow_list is not None,
        clock=typed.get("business_clock")
        or (clock.astimezone(ZoneInfo(found.time_zone)).strftime("%Y-%m-%dT%H:%M") if clock else ""),
        kept_days=typed.get("events_kept_days", found.events_kept_days or ""),
        errors=errors or {},
        sample=sample_shop.get(),
        policy=ask(person(), Ask("campaign", "/v1/sending-policy")),
        zones=sorted(available_timezones()),
        currencies=[(code, get_currency_name(code, locale=get_locale())) for code in _in_use()],
    )
    return make_response(html, status)


@cache
def _in_use() -> tuple[str, ...]:
    """The currencies that are legal tender somewhere today; the list of all there ever were is three times as long."""
    territories = [code for code in get_global("territory_currencies") if len(code) == 2]
    return tuple(sorted({one for territory in territories for one in get_territory_currencies(territory)}))


def _back() -> Response:
    return redirect(url_for("shop.show"))  # type: ignore[return-value]
