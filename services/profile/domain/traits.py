"""Traits: the newest value of each, whatever order they arrive in; and what a customer is, made of them.

State of an identity: {trait: [value, microseconds since 1970 it was said at, said by a server]}.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from services.profile.domain import contacts

Said = list[Any]  # [value, at, trusted], as it is stored
State = dict[str, Said]

MOST_TRAITS: Final = 500
LONGEST_TRAIT_NAME: Final = 256

_EMAIL: Final = ("email", "Email", "emailAddress", "email_address")
_PHONE: Final = ("phone", "Phone", "phoneNumber", "phone_number", "mobile", "手机号")
_NAME: Final = ("name", "Name", "fullName", "full_name", "姓名")
_FIRST: Final = ("firstName", "first_name")
_LAST: Final = ("lastName", "last_name")
_LOCALE: Final = ("locale", "language", "lang")
_TIME_ZONE: Final = ("timezone", "timeZone", "time_zone")
_COUNTRY: Final = ("country", "countryCode", "country_code")
_CITY: Final = ("city",)
_ADDRESS: Final = ("address", "Address", "地址")

_order: Final = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True)
class Source:
    """One identity of a customer, with what is known of it. `replaced`: an alias gave it another name."""

    identity_id: UUID
    kind: str
    lookup: str
    sealed: str | None
    vouched: bool
    replaced: bool
    traits: State


def said_by(event_traits: Any, context: Any) -> dict[str, Any]:
    """The traits an identify event speaks of: `traits`, else `context.traits`; locale and time zone of its context."""
    context = context if isinstance(context, dict) else {}
    within = context.get("traits")
    told = {
        **{name: context[name] for name in ("locale", "timezone") if isinstance(context.get(name), str)},
        **(within if isinstance(within, dict) else {}),
        **(event_traits if isinstance(event_traits, dict) else {}),
    }
    return {name: value for name, value in told.items() if 0 < len(name) <= LONGEST_TRAIT_NAME}


def learn(state: Mapping[str, Said], told: Mapping[str, Any], at: int, *, trusted: bool) -> State:
    """`state` with what was told at `at`. Of two values a server's wins, then the later, then the greater as JSON."""
    known = dict(state)
    for name, value in told.items():
        said = [value, at, trusted]
        held = known.get(name)
        if held is None:
            if len(known) < MOST_TRAITS:
                known[name] = said
        elif _outweighs(said, held):
            known[name] = said
    return known


def together(sources: Iterable[Source]) -> State:
    """The traits of one customer over all of its identities, by the same rule."""
    known: State = {}
    for source in sources:
        for name, said in source.traits.items():
            held = known.get(name)
            if held is None or _outweighs(said, held):
                known[name] = said
    return known


def derive(sources: Sequence[Source], unseal: Callable[[str], str], seal: Callable[[str], str]) -> dict[str, Any]:
    """A customer as published: its columns and `traits`, from its identities (oldest first).

    Contacts to write to come from servers only: a trait a server sent, else an identity a server named.
    """
    state = together(sources)
    users = [source for source in sources if source.kind == contacts.USER_ID]
    user = max(users, key=lambda source: (source.vouched, not source.replaced, source.identity_id), default=None)
    return {
        "identified": any(source.kind != contacts.ANONYMOUS_ID for source in sources),
        "user_id": user.lookup if user else None,
        "email": _contact(state, _EMAIL, sources, contacts.EMAIL),
        "phone": _contact(state, _PHONE, sources, contacts.PHONE),
        "name": _trusted(state, _NAME) or _name_of_parts(state, unseal, seal),
        "locale": _text(state, _LOCALE, 64),
        "time_zone": _text(state, _TIME_ZONE, 64),
        "country": _text(state, _COUNTRY, 64) or _of_address(state, _COUNTRY),
        "city": _text(state, _CITY, 128) or _of_address(state, _CITY),
        "traits": {name: said[0] for name, said in state.items() if said[0] is not None},
    }


def _outweighs(one: Said, two: Said) -> bool:
    if one[2] != two[2]:
        return bool(one[2])
    if one[1] != two[1]:
        return bool(one[1] > two[1])
    return bool(_order(one[0]) > _order(two[0]))


def _newest(state: State, names: Sequence[str], *, trusted: bool) -> Said | None:
    """What was said last under any of several spellings of one trait."""
    best: Said | None = None
    for name in names:
        said = state.get(name)
        if said is not None and (said[2] or not trusted) and (best is None or _outweighs(said, best)):
            best = said
    return best


def _trusted(state: State, names: Sequence[str]) -> str | None:
    said = _newest(state, names, trusted=True)
    return said[0] if said and isinstance(said[0], str) and said[0] else None


def _text(state: State, names: Sequence[str], longest: int) -> str | None:
    said = _newest(state, names, trusted=False)
    return said[0] if said and isinstance(said[0], str) and 0 < len(said[0]) <= longest else None


def _of_address(state: State, names: Sequence[str]) -> str | None:
    said = _newest(state, _ADDRESS, trusted=False)
    if said is None or not isinstance(said[0], dict):
        return None
    address = said[0]
    found = next((address[name] for name in names if isinstance(address.get(name), str)), None)
    return found if found and len(found) <= 128 else None


def _contact(state: State, names: Sequence[str], sources: Sequence[Source], kind: str) -> str | None:
    """The contact a server sent as a trait (null: there is none), else the newest contact identity it named."""
    if _newest(state, names, trusted=True) is not None:
        return _trusted(state, names)
    return next((source.sealed for source in reversed(sources) if source.kind == kind and source.vouched), None)


def _name_of_parts(state: State, unseal: Callable[[str], str], seal: Callable[[str], str]) -> str | None:
    parts = [_trusted(state, names) for names in (_FIRST, _LAST)]
    first, last = (unseal(part) if part else "" for part in parts)
    if not first and not last:
        return None
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in first + last)
    return seal(f"{last}{first}" if chinese else f"{first} {last}".strip())
