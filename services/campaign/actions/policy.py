"""The sending policy of promotional messages."""

from collections.abc import Callable, Mapping
from typing import Any

from services.campaign.store import policy as store
from shared import audit
from shared.database import Row, transaction


def get_policy() -> Row:
    """Quiet hours, cap, time limit."""
    with transaction(read_only=True) as tx:
        return store.find_policy(tx)


def update_policy(fields: Mapping[str, Any], check_version: Callable[[object], None]) -> Row:
    """Replace the policy; it holds from the next batch on."""
    with transaction() as tx:
        present = store.find_policy(tx, lock=True)
        check_version(present["version"])
        store.update_policy(tx, fields)
        changed = store.find_policy(tx)
        audit.record(tx, "policy.update", ("policy", "sending"), *audit.difference(present, changed))
        return changed
