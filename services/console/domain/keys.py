"""API keys: what they look like. Which scopes a kind holds is agreed in shared.contracts."""

from typing import Final

KINDS: Final = ("collect", "storefront", "server", "admin")
SECRET_BYTES: Final = 32  # 43 characters of URL-safe base64


def compose(kind: str, random_part: str) -> str:
    """The key as people see it: its kind stands in it, so that a leaked one tells what it opens."""
    return f"zk_{kind}_{random_part}"


def hint(secret: str, kind: str) -> str:
    """What is kept of a key in the clear so that a person can tell it from others: kind and four characters."""
    return secret[: len(f"zk_{kind}_") + 4]
