"""Which identifiers an event names: the one it belongs to, and others it claims for the same person."""

from typing import Any, Final
from uuid import UUID

import msgspec

from services.profile.domain import contacts
from services.profile.domain.identifiers import normalised
from services.profile.domain.messages import Arrival, Event

# An alias' previousId may be a user's or an anonymous id; which one is found out where identities are known.
PREVIOUS: Final = "previous"
# A sibling service may name one of our identities by its id, in context.identityId.
IDENTITY: Final = "identity"

# Types of events that claim more than their two ids.
_CLAIMING: Final = frozenset({"identify", "alias"})
_EMAIL_TRAITS: Final = ("email", "Email", "e_mail", "emailAddress", "email_address")
_PHONE_TRAITS: Final = (
    "phone",
    "Phone",
    "phoneNumber",
    "phone_number",
    "mobile",
    "mobilePhone",
    "mobile_phone",
    "手机号",
)
_OPENID_TRAITS: Final = ("openid", "openId", "open_id", "wechat_openid", "wechatOpenid")
_UNIONID_TRAITS: Final = ("unionid", "unionId", "union_id", "wechat_unionid", "wechatUnionid")


class Claim(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An identifier: `lookup` finds it (the id itself, or the keyed hash of a contact), `sealed` is the contact."""

    kind: str
    lookup: str
    sealed: str | None


def own_and_claims(event: Event, kind: str, arrival: Arrival) -> tuple[Claim, list[Claim]]:
    """The identity an event belongs to, and the others it claims for the same person.

    It belongs to its userId, else its anonymousId, else (from a server) the e-mail, phone or WeChat id in its
    traits. Only servers claim contacts. An own identity that stands for nobody in particular claims nothing. Replaces
    ids in `event` that are addresses or phone numbers by their sealed form. Raises ValueError without an identity.
    """
    user: Claim | None = None
    anonymous: Claim | None = None
    user_is_nobody = anonymous_is_nobody = False
    if event.user_id is not None:
        user, user_is_nobody = _of_id(event, "user_id", contacts.USER_ID, arrival)
    if event.anonymous_id is not None:
        anonymous, anonymous_is_nobody = _of_id(event, "anonymous_id", contacts.ANONYMOUS_ID, arrival)
    elif user is not None and not user_is_nobody and kind not in _CLAIMING:
        return user, []
    if user is not None and anonymous is not None and kind not in _CLAIMING:  # both ids: the usual event after a log-in
        alone = user_is_nobody or anonymous_is_nobody or (user.kind, user.lookup) == (anonymous.kind, anonymous.lookup)
        return user, [] if alone else [anonymous]
    named = [claim for claim in (user, anonymous) if claim]
    if arrival.trusted and (kind == "identify" or not named):
        named += _from_server(event, kind, arrival)
    if not named:
        raise ValueError("the event names nobody: give a userId or an anonymousId")
    own = named[0]
    if (len(named) == 1 and kind != "alias") or user_is_nobody or anonymous_is_nobody:
        return own, []
    others = named[1:]
    if kind == "alias":
        others += _previous(event, user, arrival)
    return own, [claim for claim in dict.fromkeys(others) if (claim.kind, claim.lookup) != (own.kind, own.lookup)]


def _from_server(event: Event, kind: str, arrival: Arrival) -> list[Claim]:
    """What only a server may name: contacts in traits, or one of our identities by its id."""
    context = event.context_object()
    if kind != "identify" and isinstance(context.get("identityId"), str):
        try:
            return [Claim(IDENTITY, str(UUID(context["identityId"])), None)]
        except ValueError:
            raise ValueError("context.identityId is not an id of ours") from None
    found = _contacts(event, arrival)
    return found if kind == "identify" else found[:1]


def _previous(event: Event, user: Claim | None, arrival: Arrival) -> list[Claim]:
    previous, is_nobody = _of_id(event, "previous_id", PREVIOUS, arrival)
    if user is None or previous is None:
        raise ValueError("an alias needs a userId and a previousId")
    return [] if is_nobody or previous.lookup == user.lookup else [previous]


def contact_claim(kind: str, text: str, arrival: Arrival) -> Claim | None:
    """The claim of one contact, or None where the text is none or stands for nobody in particular."""
    value = normalised(kind, text, arrival.region)
    if value is None or contacts.stands_for_nobody(kind, value):
        return None
    return Claim(kind, arrival.index(kind, value), arrival.seal(value))


def _of_id(event: Event, attribute: str, kind: str, arrival: Arrival) -> tuple[Claim | None, bool]:
    """The claim of an id field, and whether it stands for nobody in particular (support@ as a userId)."""
    given = getattr(event, attribute)
    if given is None:
        return None, False
    value = str(given).strip()
    if value.lower() in contacts.NO_ID:
        return None, False
    if len(value) > contacts.LONGEST_ID:
        raise ValueError(f"{attribute} is longer than {contacts.LONGEST_ID} characters")
    if "@" not in value and value[0] not in contacts.BEGINS_A_NUMBER:  # nearly all ids
        return Claim(kind, value, None), False
    contact = contacts.kind_of_id(value, arrival.region)
    if contact is None:
        return Claim(kind, value, None), False
    sealed = arrival.seal(contact[1])
    setattr(event, attribute, sealed)
    return Claim(contact[0], arrival.index(*contact), sealed), contacts.stands_for_nobody(*contact)


def _contacts(event: Event, arrival: Arrival) -> list[Claim]:
    """E-mail, phone and WeChat ids in traits or context.traits."""
    within = event.context_object().get("traits")
    traits: dict[str, Any] = {**(within if isinstance(within, dict) else {}), **(event.traits or {})}
    claims = []
    if traits:
        for kind, names in (
            (contacts.EMAIL, _EMAIL_TRAITS),
            (contacts.PHONE, _PHONE_TRAITS),
            (contacts.WECHAT_OPENID, _OPENID_TRAITS),
            (contacts.WECHAT_UNIONID, _UNIONID_TRAITS),
        ):
            text = next((traits[name] for name in names if traits.get(name)), None)
            claim = contact_claim(kind, str(text), arrival) if isinstance(text, str | int) else None
            if claim:
                claims.append(claim)
    return claims
