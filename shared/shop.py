"""The shop's own settings, published by the console, and the business clock."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.database import Transaction, statement

_CACHE_S = 2.0


@dataclass(frozen=True)
class Shop:
    """What every service needs to know of the shop. `business_clock` set: scores and reports are as of then.

    `events_kept_days` None: events are kept for ever.
    """

    name: str = "Shop"
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    locale: str = "en"
    region: str = "CN"
    public_url: str = ""
    postal_address: str = ""
    sender_email: str = ""
    sender_name: str = ""
    sending_enabled: bool = True
    allow_list: tuple[str, ...] | None = ()
    business_clock: datetime | None = None
    events_kept_days: int | None = None


_cache: dict[str, tuple[float, Shop]] = {}
_lock = threading.Lock()


def read_shop(tx: Transaction) -> Shop:
    """The settings as they are in this transaction. `allow_list` None: mail may go to everybody."""
    row = tx.one(
        """
        SELECT name, time_zone, currency, locale, region, public_url, postal_address, sender_email, sender_name,
               sending_enabled, allow_list, business_clock, events_kept_days
        FROM console_out.shop_v1
        """
    )
    if row is None:
        return Shop()
    return Shop(**{**row, "allow_list": None if row["allow_list"] is None else tuple(row["allow_list"])})


def shop(tx: Transaction | None = None) -> Shop:
    """The settings, at most two seconds old. Inside a transaction pass `tx` to read them there, uncached."""
    if tx is not None:
        return read_shop(tx)
    with _lock:
        cached = _cache.get("shop")
    if cached is not None and time.monotonic() - cached[0] < _CACHE_S:
        return cached[1]
    with statement() as own:
        found = read_shop(own)
    with _lock:
        _cache["shop"] = (time.monotonic(), found)
    return found


def business_now(tx: Transaction | None = None) -> datetime:
    """The instant that scores, segments and reports are as of: the shop's business clock, or now. UTC."""
    return shop(tx).business_clock or datetime.now(UTC)


def forget() -> None:
    """Drop the cached settings (after they were changed in this process; for tests)."""
    with _lock:
        _cache.clear()
