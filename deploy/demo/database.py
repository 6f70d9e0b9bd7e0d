"""The database seen by its owner: how far the readers of the log are, and what arrived in the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from deploy.demo.client import DemoError

_PAUSE_S: Final = 0.25
_STUCK_S: Final = 120.0


@dataclass(frozen=True)
class Progress:
    """How far the events are: waiting in the intake, in the log, and read by the slowest reader."""

    waiting: int
    logged: int
    read: int

    @property
    def unread(self) -> int:
        """How many entries the slowest reader has before it."""
        return self.waiting + self.logged - self.read

    @property
    def is_done(self) -> bool:
        """Whether every reader has read everything."""
        return self.waiting == 0 and self.read >= self.logged


class Database:
    """A connection of the owner, for looking only."""

    def __init__(self, owner_url: str) -> None:
        self._connection = psycopg.connect(owner_url, autocommit=True, row_factory=dict_row)
        self._connection.execute("SET default_transaction_read_only = on")

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def progress(self) -> Progress:
        """How far the events are now."""
        return Progress(
            **self._one(
                """
                SELECT (SELECT count(*) FROM profile.intake) AS waiting,
                       coalesce((SELECT max(position) FROM profile.log_head), 0) AS logged,
                       least(
                           coalesce((SELECT max(position) FROM segmentation.log_cursor), 0),
                           coalesce((SELECT max(position) FROM recommend.log_cursor), 0),
                           coalesce((SELECT max(position) FROM campaign.log_cursor), 0)
                       ) AS read
                """
            )
        )

    def wait_for_readers(self, advance: Callable[[int], None]) -> None:
        """Return when every service has read the log to its end; `advance` hears of entries read.

        Raises DemoError when nothing moves any more.
        """
        last = self.progress()
        moved = time.monotonic()
        while not last.is_done:
            time.sleep(_PAUSE_S)
            now = self.progress()
            advance(max(0, now.read - last.read))
            if now != last:
                moved = time.monotonic()
            elif time.monotonic() - moved > _STUCK_S:
                raise DemoError(f"the events move no more ({now}); `zhike logs` says which worker is in trouble")
            last = now

    def counts(self) -> dict[str, int]:
        """What is in the database now. Money in minor units."""
        return self._one(
            """
            SELECT (SELECT count(*) FROM segmentation.purchase WHERE kind = 'order') AS orders,
                   (SELECT count(*) FROM segmentation.order_line) AS order_lines,
                   (SELECT count(*) FROM profile_out.customers_v1) AS customers,
                   (SELECT count(*) FROM recommend_out.items_v1) AS items,
                   (SELECT sum(amount_minor)::bigint FROM segmentation.purchase WHERE kind = 'order') AS revenue_minor,
                   (SELECT count(*) FROM segmentation.order_line WHERE quantity = 0) AS zero_quantity_lines,
                   (
                       SELECT count(DISTINCT l.product_id) FROM segmentation.order_line l
                       WHERE NOT EXISTS (SELECT FROM recommend_out.items_v1 i WHERE i.item_id = l.product_id)
                   ) AS unlisted_products,
                   (SELECT count(*) FROM profile.rejected_event) AS rejected_events
            """
        )

    def is_empty(self) -> bool:
        """Whether neither events nor items have ever come in."""
        found = self._one(
            """
            SELECT EXISTS (SELECT FROM profile.log_head WHERE position > 0)
                OR EXISTS (SELECT FROM profile.intake) OR EXISTS (SELECT FROM recommend_out.items_v1) AS used
            """
        )
        return not found["used"]

    def households(self) -> dict[UUID, int]:
        """Customer id -> household, as its userId says."""
        rows = self._connection.execute(
            "SELECT customer_id, user_id FROM profile_out.customers_v1 WHERE user_id IS NOT NULL"
        ).fetchall()
        return {row["customer_id"]: int(row["user_id"]) for row in rows}

    def _one(self, query: str) -> Any:
        row: dict[str, Any] | None = self._connection.execute(query).fetchone()
        if row is None:
            raise DemoError("the database answers nothing where it must")
        return row
