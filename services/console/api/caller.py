"""The caller of an API route as an actor of the audit log."""

from services.console.domain.audit import Actor
from shared.auth import principal


def actor() -> Actor:
    """Whoever calls: a key by its id and name, a sibling or a person by what its token says."""
    caller = principal()
    if caller.kind == "key":
        return Actor("key", str(caller.key_id), caller.name)
    return Actor("system" if caller.kind == "service" else "user", caller.name, caller.name)
