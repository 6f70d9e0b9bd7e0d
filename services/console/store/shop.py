"""The shop's own settings: one row."""

from typing import Any

from shared.database import Row, Transaction


def get(tx: Transaction, lock: bool = False) -> Row:
    """The settings with their version; `lock` keeps others from changing them until the commit."""
    row = tx.one(_SELECT_LOCKED if lock else _SELECT)
    if row is None:
        raise LookupError("the shop's row is missing: have the migrations run?")
    return row


def update(tx: Transaction, settings: dict[str, Any]) -> Row:
    """Replace all settings; the version grows by one. Returns the new row."""
    tx.execute(
        """
        UPDATE shop
        SET name = %(name)s, time_zone = %(time_zone)s, currency = %(currency)s, locale = %(locale)s,
            region = %(region)s, public_url = %(public_url)s, postal_address = %(postal_address)s,
            sender_email = %(sender_email)s, sender_name = %(sender_name)s,
            sending_enabled = %(sending_enabled)s, allow_list = %(allow_list)s,
            business_clock = %(business_clock)s, events_kept_days = %(events_kept_days)s,
            version = version + 1, updated_at = now()
        """,
        settings,
    )
    return get(tx)


_SELECT = """
    SELECT name, time_zone, currency, locale, region, public_url, postal_address, sender_email, sender_name,
           sending_enabled, allow_list, business_clock, events_kept_days, version, updated_at
    FROM shop
"""
_SELECT_LOCKED = _SELECT + "FOR UPDATE"
