"""Identifiers of people: one spelling for each, and the values that stand for nobody in particular."""

import re
import unicodedata
from typing import Final

import phonenumbers

EMAIL: Final = "email"
PHONE: Final = "phone"
USER_ID: Final = "user_id"
ANONYMOUS_ID: Final = "anonymous_id"
WECHAT_OPENID: Final = "wechat_openid"
WECHAT_UNIONID: Final = "wechat_unionid"
KINDS: Final = (USER_ID, ANONYMOUS_ID, EMAIL, PHONE, WECHAT_OPENID, WECHAT_UNIONID)
# Kinds whose values are personal data: stored sealed, found by a keyed hash.
CONTACT_KINDS: Final = frozenset({EMAIL, PHONE, WECHAT_OPENID, WECHAT_UNIONID})

LONGEST_ID: Final = 256
_EMAIL: Final = re.compile(r"[^@\s<>()\[\],;:\"\\]{1,64}@(?:[^@\s.<>()\[\],;:\"\\]+\.)+[^@\s.<>()\[\],;:\"\\]{2,}")
_CHINESE_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_ANY_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})
# Mail boxes of roles and machines, and what programs write where there is no address.
_ROLES: Final = frozenset(
    {
        *("abuse", "admin", "administrator", "contact", "customerservice", "donotreply", "help", "info", "kefu"),
        *(
            "mailerdaemon",
            "noreply",
            "nobody",
            "postmaster",
            "root",
            "sales",
            "service",
            "support",
            "test",
            "webmaster",
        ),
        *("anonymous", "guest", "na", "none", "null", "undefined", "unknown", "客服"),
    }
)
# What an id that is really a phone number begins with.
BEGINS_A_NUMBER: Final = "1+＋"
NO_ID: Final = frozenset(
    {
        *("", "-", "0", "-1", "anonymous", "false", "guest", "n/a", "na", "nan", "nil", "none", "null", "nobody"),
        *("true", "undefined", "unknown", "[object object]", "(null)", "{}", "test"),
        *("00000000-0000-0000-0000-000000000000",),
    }
)


def email(text: str) -> str | None:
    """The one spelling of an e-mail address, or None where it is none.

    Compatibility forms (full-width letters) become plain, capitals small; Gmail ignores dots and what follows a plus,
    and so do we for its two domains only.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower().removeprefix("mailto:")
    if len(plain) > 254 or not _EMAIL.fullmatch(plain):
        return None
    local, _, domain = plain.rpartition("@")
    if domain in _ANY_GMAIL:
        local = local.partition("+")[0].replace(".", "")
        domain = "gmail.com"
    return f"{local}@{domain}" if local else None


def phone(text: str, region: str) -> str | None:
    """A phone number in E.164 (`+8613800138000`), or None where it is none. `region`: the shop's, for local numbers."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not 5 <= len(plain) <= 32:
        return None
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def wechat(text: str) -> str | None:
    """A WeChat openid or unionid as it is (case matters), or None where it is none."""
    plain = text.strip()
    return plain if 6 <= len(plain) <= 128 and not plain.isspace() else None


def kind_of_id(value: str, region: str) -> tuple[str, str] | None:
    """(kind, one spelling) of a userId or anonymousId that is really an e-mail address or a phone number, else None.

    Plain digits are taken for a phone number only where they can hardly be anything else: with a plus sign, or as a
    Chinese mobile number of a shop in China. Database ids are digits too.
    """
    if "@" in value:
        address = email(value)
        return (EMAIL, address) if address else None
    if not value or value[0] not in BEGINS_A_NUMBER:  # nearly all ids
        return None
    if value[0] != "1" or (region == "CN" and _CHINESE_MOBILE.fullmatch(value)):
        number = phone(value, region)
        return (PHONE, number) if number else None
    return None


def is_no_id(value: str) -> bool:
    """Whether a userId or anonymousId is what programs send when they have none (`undefined`, `null`, …)."""
    return value.lower() in NO_ID


def stands_for_nobody(kind: str, value: str) -> bool:
    """Whether a (normalised) contact is shared by so many that it says nothing: support@, noreply@, +860000000000 …"""
    if kind == EMAIL:
        local = value.partition("@")[0].partition("+")[0]
        return re.sub(r"[-_.]", "", local) in _ROLES
    if kind == PHONE:
        digits = value[-8:]
        return len(set(digits)) == 1 or digits in {"12345678", "23456789", "34567890", "87654321"}
    return is_no_id(value)
