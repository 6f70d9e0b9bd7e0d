"""Use cases of the catalogue's categories."""

from typing import Final

from services.recommend.store import categories as store
from shared.database import Row, transaction

MOST: Final = 5_000


def categories() -> list[Row]:
    """The paths that items have, in their order; at most 5,000."""
    with transaction(read_only=True) as tx:
        return store.counted(tx, MOST)
