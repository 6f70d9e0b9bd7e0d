"""Opening what was sealed, for those who may see it."""

from typing import Any

from services.profile.domain import personal
from shared import crypto


def text(sealed: str) -> str:
    """The text behind a sealed value; what is not sealed, or not by us, as it is."""
    if not crypto.is_sealed(sealed):
        return sealed
    try:
        return crypto.unseal(sealed)
    except crypto.SealError:
        return sealed


def everything(value: Any) -> Any:
    """JSON with all sealed values in it opened."""
    return personal.unseal_all(value, text)
