"""What a computation is as of: the shop's settings and an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.segmentation.domain.days import zone_of
from services.segmentation.store.rules import Context
from shared.database import Transaction
from shared.shop import Shop, read_shop


@dataclass(frozen=True)
class Moment:
    """The shop's settings and the as-of instant, read once for a use case."""

    shop: Shop
    as_of: datetime

    def context(self, customers: Sequence[UUID] | None = None) -> Context:
        """What rules are evaluated under, for these customers (None: for all)."""
        return Context(self.as_of, zone_of(self.shop.time_zone), self.shop.currency, customers)


def moment_of(tx: Transaction, as_of: datetime | None = None) -> Moment:
    """The settings as they are, and `as_of`, or else the shop's business clock, or else now."""
    shop = read_shop(tx)
    return Moment(shop, as_of or shop.business_clock or datetime.now(UTC))
