"""Who did something, and what of it goes into the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Actor:
    """Who changes something. `kind`: user, key or system; `name`: an e-mail address, a key's name, a program."""

    kind: str
    id: str
    name: str


SYSTEM: Final = Actor("system", "system", "zhike")


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between two states of a thing: the old values and the new ones, of the same fields."""
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ({name: before.get(name) for name in fields}, {name: after.get(name) for name in fields})
