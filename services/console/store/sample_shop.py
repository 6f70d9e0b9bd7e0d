"""The sample shop: one row."""

from typing import Any

from shared.database import Row, Transaction


def get(tx: Transaction, lock: bool = False) -> Row:
    """Its keys where neither is revoked, whom a visitor may play, and the version of all that."""
    row = tx.one(_SELECT_LOCKED if lock else _SELECT)
    if row is None:
        raise LookupError("the sample shop's row is missing: have the migrations run?")
    return row


def put(tx: Transaction, shop: dict[str, Any]) -> None:
    """Replace all of it; the version grows by one."""
    tx.execute(
        """
        UPDATE sample_shop
        SET collect_key_id = %(collect_key_id)s, collect_key = %(collect_key)s,
            storefront_key_id = %(storefront_key_id)s, storefront_key = %(storefront_key)s,
            shoppers = %(shoppers)s::jsonb, version = version + 1
        """,
        shop,
    )


_SELECT = """
    SELECT s.collect_key_id, s.collect_key, s.storefront_key_id, s.storefront_key, s.shoppers, s.version,
           s.collect_key_id IS NOT NULL AND c.revoked_at IS NULL AND f.revoked_at IS NULL AS open
    FROM sample_shop s
         LEFT JOIN api_key c ON c.key_id = s.collect_key_id
         LEFT JOIN api_key f ON f.key_id = s.storefront_key_id
"""
_SELECT_LOCKED = _SELECT + "FOR UPDATE OF s"
