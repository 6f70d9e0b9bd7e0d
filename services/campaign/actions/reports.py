"""What a campaign earned."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.campaign.domain import report as rules
from services.campaign.domain.report import Arm
from services.campaign.store import campaigns, ledger
from services.campaign.store import reports as store
from shared.database import Row, Transaction, transaction
from shared.problems import Conflict, NotFound
from shared.shop import Shop, read_shop

_NOBODY = {"people": 0, "buyers": 0, "orders": 0, "revenue_minor": 0, "revenue_squares": 0.0}


def report(campaign_id: UUID, window_days: int | None = None) -> dict[str, Any]:
    """The report of a campaign's last run over its attribution window, or over `window_days`."""
    with transaction(read_only=True) as tx:
        campaign = campaigns.find_campaign(tx, campaign_id)
        if campaign is None:
            raise NotFound("there is no such campaign")
        run = campaigns.latest_run(tx, campaign_id)
        if run is None:
            raise Conflict("the campaign has not begun; there is nothing to report yet", code="not_begun")
        days = window_days or run["attribution_days"]
        return _report(tx, campaign, run, days, read_shop(tx))


def _report(tx: Transaction, campaign: Row, run: Row, days: int, shop: Shop) -> dict[str, Any]:
    start, end = run["as_of"], run["as_of"] + timedelta(days=days)
    span = (run["run_id"], start, end, shop.currency)
    sums = store.arms(tx, *span)
    treated, held_out = (Arm(**_figures(sums.get(arm))) for arm in ("treated", "holdout"))
    now = shop.business_clock or datetime.now(UTC)
    states = ledger.count_states(tx, run["run_id"])
    return {
        "campaign_id": campaign["campaign_id"],
        "name": campaign["name"],
        "status": campaign["status"],
        "problem": campaign["problem"],
        "run_id": run["run_id"],
        "replay": run["replay"],
        "as_of": start,
        "window": {"start": start, "end": end, "days": days, "over": now >= end},
        "currency": shop.currency,
        "recipients": {"total": sum(states.values()), "by_state": states},
        "engagement": _engagement(states, store.reactions(tx, run["run_id"])),
        "links": store.links(tx, run["run_id"]),
        "interrupted": store.interruptions(tx, run["run_id"]),
        "arms": {"treated": treated.as_dict(), "holdout": held_out.as_dict()},
        "in_both_arms": sums.get("both", _NOBODY)["people"],
        "lift": rules.lift(treated, held_out, run["holdout_share"], replay=run["replay"], window_over=now >= end),
        "daily": rules.daily(store.by_day(tx, *span), start, days),
        "other_currencies": store.other_currencies(tx, *span),
    }


def _figures(row: Row | None) -> dict[str, Any]:
    return {key: (row or _NOBODY)[key] for key in _NOBODY}


def _engagement(states: dict[str, int], reactions: dict[str, int]) -> dict[str, Any]:
    sent = states.get("sent", 0)
    kinds = ("delivered", "opened", "clicked", "unsubscribed", "bounced", "complained")
    counts = {kind: reactions.get(kind, 0) for kind in kinds}
    rates = {f"{kind}_rate": counts[kind] / sent if sent else 0.0 for kind in ("opened", "clicked", "unsubscribed")}
    bots = {kind: reactions.get(f"bot_{kind}", 0) for kind in ("opened", "clicked")}
    return {"sent": sent, **counts, **rates, "bots": bots}
