"""What somebody typed into the one search box: which identifiers it can be."""

import re
from typing import Final
from uuid import UUID

_PHONE: Final = re.compile(r"^\+?[\d\s()./-]{6,24}$")


def customer_id(text: str) -> UUID | None:
    """The id, if it is one of ours."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def identifiers(text: str) -> list[str]:
    """The identifiers (kind:value) this may be, likeliest first. A name is looked for apart from these."""
    typed = text.strip()
    if not typed:
        return []
    kind, colon, value = typed.partition(":")
    if colon and re.fullmatch(r"[a-z_]{2,30}", kind) and value.strip():
        return [f"{kind}:{value.strip()}"]
    found = []
    if "@" in typed:
        found.append(f"email:{typed}")
    elif _PHONE.match(typed):
        found.append(f"phone:{typed}")
    if not re.search(r"\s", typed):
        found += [f"user_id:{typed}", f"anonymous_id:{typed}"]
    return found


def may_be_name(text: str) -> bool:
    """Whether it can be part of a name: letters, and no sign of an address."""
    typed = text.strip()
    return (
        any(char.isalpha() for char in typed) and "@" not in typed and ":" not in typed and customer_id(typed) is None
    )
