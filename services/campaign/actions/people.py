"""Customers as templates see them: contact fields opened for this one use."""

from typing import Any

from services.campaign.domain import addresses, variables
from shared import crypto
from shared.database import Row


def open_facts(row: Row) -> Row:
    """A customer row with its sealed values opened, nested ones in traits included."""
    return {key: _open(value) for key, value in row.items()}


def template_customer(row: Row) -> dict[str, Any]:
    """`customer` for a template, from a row of customers_v1."""
    facts: dict[str, Any] = variables.without_private(open_facts(row))
    return variables.customer_variables(facts)


def address_of(sealed: str | None) -> str:
    """The normalised e-mail address behind a sealed one; "" where there is none."""
    return addresses.normalise(_open(sealed)) if sealed else ""


def address_index(address: str) -> str:
    """The blind index by which an address is found, here and in the list of suppressed ones."""
    return crypto.blind_index("campaign-email", address)


def _open(value: Any) -> Any:
    if isinstance(value, str):
        if not crypto.is_sealed(value):
            return value
        try:
            return crypto.unseal(value)
        except crypto.SealError:
            return ""  # sealed under a key that is gone: as good as unknown
    if isinstance(value, dict):
        return {key: _open(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_open(inner) for inner in value]
    return value
