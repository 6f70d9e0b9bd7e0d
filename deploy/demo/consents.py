"""Consent to marketing by e-mail, generated: the data do not say who agreed to what."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import orjson

from deploy.demo.dataset import Dataset
from deploy.demo.people import person

CONSENTS_PER_REQUEST: Final = 1000
SOURCE: Final = "generated for the demo"


def bodies(data: Dataset) -> Iterator[tuple[bytes, int]]:
    """Request bodies for POST /v1/consents and how many decisions each carries: households known before the cut."""
    rows = data.households.iter_rows(named=True)
    decisions = (_decision(row) for row in rows if row["first_at"] < data.cut)
    while chunk := list(islice(decisions, CONSENTS_PER_REQUEST)):
        yield orjson.dumps({"consents": chunk}), len(chunk)


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    who = person(row["household_id"])
    return {
        "identifier": f"user_id:{who.household}",
        "purpose": "marketing",
        "channel": "email",
        "granted": who.consents,
        "decided_at": row["first_at"].isoformat(),
        "source": SOURCE,
    }
