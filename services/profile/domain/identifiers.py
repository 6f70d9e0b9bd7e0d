"""Identifiers as people and siblings write them: `email:mei@example.com`, `user_id:42`."""

from collections.abc import Callable
from dataclasses import dataclass

from services.profile.domain import contacts


class IdentifierError(ValueError):
    """Not an identifier; the message says why."""

    code = "bad_identifier"


@dataclass(frozen=True)
class Identifier:
    """What an identity is found by, and for contacts the value in its one spelling."""

    kind: str
    lookup: str
    value: str | None


def read(text: str, region: str, index: Callable[[str, str], str]) -> Identifier:
    """`kind:value` as an identifier; values are normalised as those of events are. Raises IdentifierError."""
    kind, colon, value = text.partition(":")
    value = value.strip()
    if not colon or kind not in contacts.KINDS or not value:
        raise IdentifierError(f"an identifier is kind:value, with a kind of {', '.join(contacts.KINDS)}")
    if kind not in contacts.CONTACT_KINDS:
        # A user id that is an address or a phone number was kept as that.
        hidden = contacts.kind_of_id(value, region)
        if hidden is None:
            return Identifier(kind, value, None)
        return Identifier(hidden[0], index(*hidden), hidden[1])
    plain = normalised(kind, value, region)
    if plain is None:
        raise IdentifierError(f"this is no {kind}")
    return Identifier(kind, index(kind, plain), plain)


def normalised(kind: str, text: str, region: str) -> str | None:
    """The one spelling of a contact, or None where the text is none."""
    if kind == contacts.EMAIL:
        return contacts.email(text)
    if kind == contacts.PHONE:
        return contacts.phone(text, region)
    return contacts.wechat(text)
