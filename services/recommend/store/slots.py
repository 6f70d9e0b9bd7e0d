"""The slots' table."""

from collections.abc import Mapping
from typing import Any

import orjson

from shared import log
from shared.database import Row, Transaction


def find(tx: Transaction, name: str, *, lock: bool = False) -> Row | None:
    """One slot, or None. With `lock`, nobody changes any slot until this transaction ends."""
    if lock:
        tx.execute("SELECT FROM log_head WHERE log = 'slots' FOR UPDATE")
    return tx.one(
        "SELECT name, settings, version, updated_at FROM slot WHERE name = %(name)s",
        {"name": name},
    )


def every(tx: Transaction) -> list[Row]:
    """All slots, by name."""
    return tx.all("SELECT name, settings, version, updated_at FROM slot ORDER BY name")


def put(tx: Transaction, name: str, settings: Mapping[str, Any]) -> None:
    """Create a slot or replace it, as a new version."""
    tx.execute(
        """
        INSERT INTO slot (name, settings, version) VALUES (%(name)s, %(settings)s::jsonb, %(version)s)
        ON CONFLICT (name) DO UPDATE SET
            settings = excluded.settings, version = excluded.version, updated_at = now()
        """,
        {"name": name, "settings": orjson.dumps(settings).decode(), "version": log.reserve(tx, "slots", 1)},
    )


def remove(tx: Transaction, name: str) -> None:
    """Take a slot out of use."""
    log.reserve(tx, "slots", 1)
    tx.execute("DELETE FROM slot WHERE name = %(name)s", {"name": name})


def count(tx: Transaction) -> int:
    """How many slots there are."""
    found: int = tx.value("SELECT count(*) FROM slot")
    return found
