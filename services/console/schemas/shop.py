"""The shop's settings on the wire, and what each of them must be."""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel.numbers import list_currencies
from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

from shared.instants import within_reach

LOCALES = ("en", "zh_Hans_CN")


def _zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError("not a time zone of the IANA database, such as Asia/Shanghai")


def _currency(value: str) -> None:
    if value not in list_currencies():
        raise ValidationError("not a currency of ISO 4217, such as CNY")


def _address(value: str) -> None:
    """An http(s) origin with nothing behind it that a path could be appended to wrongly."""
    if not value:
        return
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ValidationError("must be an address such as https://shop.example, or empty")


def _email_or_empty(value: str) -> None:
    if value:
        validate.Email(error="not an e-mail address")(value)


_one_line = validate.Regexp(r"[^\r\n\x00]*\Z", error="must be one line")


class ShopSettings(Schema):
    """Settings to change; those left out keep their values. `allow_list` null: mail may go to everybody.

    `events_kept_days` null: events are kept for ever.
    """

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    name = fields.String(validate=[validate.Length(1, 100), _one_line])
    time_zone = fields.String(validate=_zone)
    currency = fields.String(validate=_currency)
    locale = fields.String(validate=validate.OneOf(LOCALES))
    region = fields.String(validate=validate.Regexp(r"[A-Z]{2}\Z", error="two letters, such as CN"))
    public_url = fields.String(validate=[validate.Length(max=300), _address])
    postal_address = fields.String(validate=validate.Length(max=500))
    sender_email = fields.String(validate=[validate.Length(max=254), _email_or_empty])
    sender_name = fields.String(validate=[validate.Length(max=100), _one_line])
    sending_enabled = fields.Boolean()
    allow_list = fields.List(
        fields.String(validate=validate.Email(error="not an e-mail address")),
        allow_none=True,
        validate=validate.Length(max=1000),
    )
    business_clock = fields.AwareDateTime(format="iso", allow_none=True, validate=within_reach)
    events_kept_days = fields.Integer(allow_none=True, strict=True, validate=validate.Range(90, 36500))

    @pre_load
    def _without_trailing_slash(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        address = data.get("public_url") if isinstance(data, dict) else None
        return {**data, "public_url": address.rstrip("/")} if isinstance(address, str) else data


class ShopReply(ShopSettings):
    """All settings, and which version of them this is."""

    version = fields.Integer()
    updated_at = fields.AwareDateTime(format="iso")
