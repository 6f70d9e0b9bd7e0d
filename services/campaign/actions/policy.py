"""The sending policy of promotional messages."""

from collections.abc import Callable, Mapping
from typing import Any

from services.campaign.store import policy as store
from shared.database import Row, transaction


def get_policy() -> Row:
    """Quiet hours, cap, time limit."""
    with transaction(read_only=True) as tx:
        return store.find_policy(tx)


def update_policy(fields: Mapping[str, Any], check_version: Callable[[object], None]) -> Row:
    """Replace the policy; it holds from the next batch on."""
    with transaction() as tx:
        check_version(store.find_policy(tx, lock=True)["version"])
        store.update_policy(tx, fields)
        return store.find_policy(tx)
