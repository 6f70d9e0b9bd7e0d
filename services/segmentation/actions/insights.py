"""What is known of one customer, and of all of them."""

from typing import Any, Final
from uuid import UUID

from services.segmentation.actions.moments import moment_of
from services.segmentation.domain import reasons
from services.segmentation.domain.scores import Basis
from services.segmentation.store import features, insights, memberships, scores
from shared.database import transaction
from shared.problems import NotFound

WEEKS: Final = 53
_NOT_FEATURES: Final = ("customer_id", "basis_id", "gaps_days", "previous_gap_days")


def customer(customer_id: UUID) -> dict[str, Any]:
    """Features, scores with their reasons, and segments of a customer. Raises NotFound."""
    with transaction(read_only=True) as tx:
        row = features.feature_row(tx, customer_id)
        if row is None:
            raise NotFound(f"nothing is known yet of a customer {customer_id}", code="customer_unknown")
        basis = scores.basis_of(tx, row["basis_id"]) if row["basis_id"] else None
        return {
            "customer_id": customer_id,
            "as_of": row["as_of"],
            "features": {name: value for name, value in row.items() if name not in _NOT_FEATURES},
            "scores": reasons.scores(row, Basis.from_json(basis["parameters"]), basis) if basis else [],
            "segments": memberships.of_customer(tx, customer_id),
        }


def customers(rfm_cell: str | None, lifecycle: str | None, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Customers with features and scores, in order of id."""
    with transaction(read_only=True) as tx:
        return insights.customers(tx, {"rfm_cell": rfm_cell, "lifecycle": lifecycle}, after, limit)


def overview() -> dict[str, Any]:
    """The shop as a whole: customers, money by currency and week, lifecycle stages, RFM cells."""
    with transaction(read_only=True) as tx:
        moment = moment_of(tx)
        money = insights.totals(tx, moment.as_of)
        currency = money[0]["currency"] if money else moment.shop.currency
        basis = scores.newest_basis(tx)
        groups = insights.groups(tx)
        return {
            "as_of": moment.as_of,
            "customers": insights.population(tx),
            "totals": money,
            "currency": currency,
            "weeks": insights.weeks(tx, moment.as_of, moment.shop.time_zone, currency, WEEKS),
            "lifecycle": _summed(groups, "lifecycle"),
            "rfm_cells": _summed(groups, "rfm_cell"),
            "basis": _basis(basis),
        }


def _summed(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Customers by stage or cell, the biggest group first; their money per currency."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row[name] is not None:
            group = found.setdefault(row[name], {"name": row[name], "customers": 0, "net_spend_minor": {}})
            group["customers"] += row["customers"]
            money = group["net_spend_minor"]
            money[row["currency"]] = money.get(row["currency"], 0) + row["net_spend_minor"]
    return sorted(found.values(), key=lambda group: -group["customers"])


def _basis(basis: dict[str, Any] | None) -> dict[str, Any] | None:
    if basis is None:
        return None
    found = Basis.from_json(basis["parameters"])
    gaps = found.gaps
    return {
        "as_of": basis["as_of"],
        "customers": basis["customers"],
        "buyers": basis["buyers"],
        "gaps": {"count": gaps.count, "p50": gaps.at(0.5), "p80": gaps.at(0.8), "p95": gaps.at(0.95)},
        "recency_cuts": list(found.recency.cuts),
        "frequency_cuts": list(found.frequency.cuts),
    }
