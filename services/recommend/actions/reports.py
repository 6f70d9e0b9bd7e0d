"""What came of recommendations."""

from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.recommend.store import reports as store
from shared import shop
from shared.database import Row, transaction
from shared.problems import FieldError, Invalid

LONGEST: Final = timedelta(days=180)
_GROUP: Final = ("slot", "strategy", "experiment_id", "variant", "day")


def report(slot: str | None, since: date | None, until: date | None, window_days: int) -> dict[str, Any]:
    """By slot, strategy, variant and day of the shop's calendar, both ends included; and of all these days together.

    Raises Invalid.
    """
    with transaction(read_only=True) as tx:
        settings = shop.read_shop(tx)
        first, last = days_of(settings, since, until)
        span = span_of(settings, slot, (first, last), window_days)
        seen, bought = store.seen(tx, span), store.bought(tx, span)
    rows = _joined(seen, bought)
    return {
        "since": first,
        "until": last,
        "window_days": window_days,
        "totals": [row for row in rows if row["day"] is None],
        "days": [row for row in rows if row["day"] is not None],
    }


def days_of(settings: shop.Shop, since: date | None, until: date | None) -> tuple[date, date]:
    """The first and the last day that are asked about: the last 28 unless it is said. Raises Invalid."""
    zone = ZoneInfo(settings.time_zone)
    last = until or (settings.business_clock or datetime.now(zone)).astimezone(zone).date()
    first = since or last - timedelta(days=27)
    if not first <= last <= first + LONGEST:
        error = FieldError(path="since", message=f"before `until`, and at most {LONGEST.days} days before")
        raise Invalid("these are no days to report on", code="bad_days", errors=[error])
    return first, last


def span_of(settings: shop.Shop, slot: str | None, days: tuple[date, date], window_days: int) -> store.Span:
    """Days of the shop's calendar as instants."""
    zone = ZoneInfo(settings.time_zone)
    return store.Span(
        datetime.combine(days[0], clock_time.min, zone),
        datetime.combine(days[1] + timedelta(days=1), clock_time.min, zone),
        settings.time_zone,
        slot,
        timedelta(days=window_days),
    )


def _joined(seen: list[Row], bought: list[Row]) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    nothing = {"impressions": 0, "viewers": 0, "clicks": 0, "clickers": 0}
    for row in [*seen, *bought]:
        group = {name: row[name] for name in _GROUP}
        told = found.setdefault(tuple(group.values()), {**group, **nothing, "orders": 0, "revenue": []})
        if "impressions" in row:
            told |= {name: row[name] for name in nothing}
        elif row["currency"] is None:  # of all currencies: an order in two is one
            told["orders"] = max(told["orders"], row["orders"])
        else:
            told["revenue"].append({"currency": row["currency"], "amount_minor": row["revenue_minor"]})
    for told in found.values():
        told["click_through_rate"] = told["clicks"] / told["impressions"] if told["impressions"] else 0.0
        told["revenue"].sort(key=lambda one: one["currency"])
    return sorted(found.values(), key=lambda told: tuple(str(told[name] or "") for name in _GROUP))
