"""Which fields of an event are a person's particulars, and their sealing in place.

Keys say so (`email`, `phone`, `address` … anywhere; `name` where the object is a person, since products and pages have
names too), and so does a text that is an e-mail address under whatever key.
"""

import re
from collections.abc import Callable
from itertools import product
from typing import Any, Final

Seal = Callable[[str], str]
DEEPEST: Final = 64

_EMAIL: Final = re.compile(r"\s*(?:mailto:)?[^@\s,;<>\"]{1,64}@(?:[^@\s.,;<>\"]+\.)+[^@\s.,;<>\"]{2,}\s*")


class TooDeepError(ValueError):
    """Objects nested deeper than DEEPEST."""


def _spellings(*words: str) -> frozenset[str]:
    """Every usual spelling of field names given as space separated words: camel, snake, kebab, title, upper, joined."""
    found = set()
    for word in words:
        parts = word.split()
        camel = parts[0] + "".join(part.title() for part in parts[1:])
        found |= {camel, camel[0].upper() + camel[1:]}
        for separator, case in product(("", "_", "-", " "), (str.lower, str.upper, str.title)):
            found.add(case(separator.join(parts)))
    return frozenset(found)


# Personal wherever they stand.
CONTACT_KEYS: Final = _spellings(
    *("email", "e mail", "email address", "mail", "emails", "billing email", "contact email", "recipient email"),
    *(
        "phone",
        "phone number",
        "mobile",
        "mobile phone",
        "mobile number",
        "cell phone",
        "cellphone",
        "telephone",
        "tel",
    ),
    *("contact phone", "billing phone", "shipping phone", "phones"),
    *("first name", "last name", "full name", "given name", "family name", "middle name", "surname", "real name"),
    *("recipient name", "customer name", "contact name", "receiver name", "consignee"),
    *("address", "addresses", "shipping address", "billing address", "street address", "address line 1"),
    *("address line 2", "address1", "address2", "home address", "street", "postal address", "delivery address"),
    *("openid", "open id", "unionid", "union id", "wechat openid", "wechat unionid", "wechat id", "wx openid"),
    *("device token", "push token", "registration id", "fcm token", "apns token"),
) | frozenset(
    {
        "邮箱",
        "电子邮箱",
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "联系电话",
        "姓名",
        "收货人",
        "地址",
        "收货地址",
        "微信号",
    }
)
NAME_KEYS: Final = _spellings("name", "nick name", "display name") | frozenset({"昵称"})
# Objects under these keys are people, so that their `name` is one.
PEOPLE_KEYS: Final = _spellings(
    *("traits", "user", "customer", "recipient", "receiver", "contact", "buyer", "payer", "consignee", "billing"),
    *("shipping", "person", "profile", "member", "guest", "sender"),
)
DEVICE_KEYS: Final = frozenset({"device", "Device"})
TOKEN_KEYS: Final = frozenset({"token", "Token"})
# Parts of an address that are no particulars: they say where many people are.
COARSE_KEYS: Final = _spellings(
    *("city", "country", "country code", "state", "province", "region", "type"),
) | frozenset({"城市", "国家", "省", "省份"})


def seal_person(fields: dict[str, Any], seal: Seal, *, look_at_values: bool) -> None:
    """Seal the particulars in an object that describes a person (traits), in place."""
    _walk(fields, seal, look_at_values, DEEPEST, person=True)


def seal_thing(fields: dict[str, Any], seal: Seal, *, look_at_values: bool) -> None:
    """Seal the particulars in an object that describes something else (properties, context), in place.

    `look_at_values`: whether a text may hold an e-mail address (there is an @ in the event).
    Raises TooDeepError.
    """
    _walk(fields, seal, look_at_values, DEEPEST, person=False)


def unseal_all(value: Any, unseal: Callable[[str], str]) -> Any:
    """`value` with every text in it passed through `unseal`, which returns what is not sealed as it is."""
    if isinstance(value, str):
        return unseal(value)
    if isinstance(value, dict):
        return {key: unseal_all(item, unseal) for key, item in value.items()}
    if isinstance(value, list):
        return [unseal_all(item, unseal) for item in value]
    return value


def is_email_like(text: str) -> bool:
    """Whether a text is, as a whole, an e-mail address."""
    return "@" in text and _EMAIL.fullmatch(text) is not None


def _walk(fields: dict[str, Any], seal: Seal, look: bool, room: int, *, person: bool) -> None:
    # isdisjoint() runs over the keys in C, and most objects have none of these.
    if not CONTACT_KEYS.isdisjoint(fields):
        for key in CONTACT_KEYS & fields.keys():
            fields[key] = _sealed(fields[key], seal, room)
        person = person or _is_person(fields)
    if person and not NAME_KEYS.isdisjoint(fields):
        for key in NAME_KEYS & fields.keys():
            fields[key] = _sealed(fields[key], seal, room)
    for key, value in fields.items():
        kind = type(value)
        if kind is str:
            if look and is_email_like(value):
                fields[key] = seal(value)
        elif (kind is dict or kind is list) and key not in CONTACT_KEYS:  # an address: sealed above
            _walk_into(key, value, seal, look, room)


def _walk_into(key: str, value: Any, seal: Seal, look: bool, room: int) -> None:
    if room == 0:
        raise TooDeepError
    if type(value) is list:
        _walk_list(value, seal, look, room - 1, person=key in PEOPLE_KEYS)
        return
    if key in DEVICE_KEYS:
        for token in TOKEN_KEYS & value.keys():
            value[token] = _sealed(value[token], seal, room)
    _walk(value, seal, look, room - 1, person=key in PEOPLE_KEYS)


def _walk_list(values: list[Any], seal: Seal, look: bool, room: int, *, person: bool) -> None:
    for index, value in enumerate(values):
        kind = type(value)
        if kind is dict or kind is list:
            if room == 0:
                raise TooDeepError
            if kind is dict:
                _walk(value, seal, look, room - 1, person=person)
            else:
                _walk_list(value, seal, look, room - 1, person=person)
        elif look and kind is str and is_email_like(value):
            values[index] = seal(value)


def _is_person(fields: dict[str, Any]) -> bool:
    """An object with a way to reach somebody is about that person, unless it is also about goods."""
    return "product_id" not in fields and "sku" not in fields and "products" not in fields and "title" not in fields


def _sealed(value: Any, seal: Seal, room: int) -> Any:
    """`value` with every text and number in it sealed; in an address the city, country … stay readable."""
    kind = type(value)
    if kind is str:
        return seal(value) if value else value
    if kind is int or kind is float:
        return seal(str(value))
    if kind is dict or kind is list:
        if room == 0:
            raise TooDeepError
        if kind is list:
            return [_sealed(item, seal, room - 1) for item in value]
        return {key: _sealed_part(key, item, seal, room - 1) for key, item in value.items()}
    return value


def _sealed_part(key: str, value: Any, seal: Seal, room: int) -> Any:
    return value if key in COARSE_KEYS and type(value) is str else _sealed(value, seal, room)
