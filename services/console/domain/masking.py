"""Addresses and names as people see them who need not know them in full."""

from collections.abc import Mapping
from typing import Any, Final

_EMAIL_FIELDS: Final = frozenset({"email", "to", "recipient"})
_PHONE_FIELDS: Final = frozenset({"phone", "mobile"})
_NAME_FIELDS: Final = frozenset({"name", "first_name", "firstName", "last_name", "lastName"})
_HIDDEN_FIELDS: Final = frozenset({"address", "street", "openid", "unionid", "token", "device_token", "deviceToken"})


def email(address: str) -> str:
    """`mei@shop.example` as `m***@shop.example`."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}***{at}{domain}" if at else hidden(address)


def phone(digits: str) -> str:
    """A number with its first three and last two characters."""
    return f"{digits[:3]}****{digits[-2:]}" if len(digits) > 6 else "****"


def name(text: str) -> str:
    """A name by its first character: 王** or M***."""
    return f"{text[:1]}**" if text else text


def hidden(_text: str) -> str:
    """Nothing of it."""
    return "***"


def mask_all(value: Any, field: str = "") -> Any:
    """A tree of traits or properties with everything masked that its field says is a person's address or name.

    Lists below such a field are masked too. A product's name is not a person's: nothing below `products` is touched.
    """
    if isinstance(value, Mapping):
        return {key: each if key == "products" else mask_all(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [mask_all(each, field) for each in value]
    if not isinstance(value, str):
        return hidden("") if field in _HIDDEN_FIELDS and value is not None else value
    for fields, rule in (
        (_EMAIL_FIELDS, email),
        (_PHONE_FIELDS, phone),
        (_NAME_FIELDS, name),
        (_HIDDEN_FIELDS, hidden),
    ):
        if field in fields:
            return rule(value)
    return value
