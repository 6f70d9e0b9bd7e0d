"""E-mail addresses: one spelling per mailbox, what may be sent to, who is on the allow-list."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

# What can be put into a header and an SMTP command as it is. Mailboxes beyond ASCII need SMTPUTF8 and are refused.
_SENDABLE: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    re.IGNORECASE,
)


def normalise(address: str) -> str:
    """The one spelling an address is compared and hashed by: full-width forms folded, lower case, IDNA domain."""
    folded = unicodedata.normalize("NFKC", address).strip().lower()
    mailbox, at, domain = folded.rpartition("@")
    try:
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        return folded
    return f"{mailbox}{at}{domain}"


def sendable(address: str) -> bool:
    """Whether a normalised address can be handed to a mail server."""
    return len(address) <= 254 and len(address.partition("@")[0]) <= 64 and _SENDABLE.fullmatch(address) is not None


def allowed(address: str, allow_list: Sequence[str] | None) -> bool:
    """Whether a normalised address may be written to: `allow_list` has addresses and domains; None means everybody."""
    if allow_list is None:
        return True
    domain = address.rpartition("@")[2]
    entries = {entry.strip().lower() for entry in allow_list}
    return address in entries or domain in entries or f"@{domain}" in entries
