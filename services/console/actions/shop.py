"""The shop's own settings, which every service reads through console_out.shop_v1."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.console.store import shop as store
from shared import audit
from shared.audit import SYSTEM, Actor, difference
from shared.database import transaction
from shared.problems import PreconditionFailed


@dataclass(frozen=True)
class ShopRecord:
    """The settings and which version of them this is. `allow_list` None: mail may go to everybody."""

    name: str
    time_zone: str
    currency: str
    locale: str
    region: str
    public_url: str
    postal_address: str
    sender_email: str
    sender_name: str
    sending_enabled: bool
    allow_list: list[str] | None
    business_clock: datetime | None
    events_kept_days: int | None
    version: int
    updated_at: datetime


def get_shop() -> ShopRecord:
    """The settings in force."""
    with transaction(read_only=True) as tx:
        return ShopRecord(**store.get(tx))


def update_shop(changes: Mapping[str, Any], expected_version: int | None = None, actor: Actor = SYSTEM) -> ShopRecord:
    """Change the named settings and leave the others. Values have passed schemas.shop.

    Raises PreconditionFailed where the settings are no longer at `expected_version`.
    """
    with transaction() as tx:
        before = ShopRecord(**store.get(tx, lock=True))
        if expected_version not in (None, before.version):
            raise PreconditionFailed(
                "somebody else changed the settings since you read them; load them again", code="changed_meanwhile"
            )
        wanted = {**asdict(before), **changes}
        old, new = difference(asdict(before), wanted)
        if not new:
            return before
        after = ShopRecord(**store.update(tx, wanted))
        audit.record(tx, "shop.update", ("shop", "shop"), old, new, actor=actor)
    return after
