"""The list of addresses that are written to no more."""

from collections.abc import Mapping
from typing import Any

from services.campaign.actions import people
from services.campaign.actions.paging import after_time_and_text, page
from services.campaign.domain import addresses
from services.campaign.store import suppressions as store
from shared import audit, crypto
from shared.database import transaction
from shared.problems import Invalid, NotFound


def list_suppressions(cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of suppressed addresses, newest first."""
    with transaction(read_only=True) as tx:
        rows = store.list_suppressions(tx, after_time_and_text(cursor), limit + 1)
    found = page(rows, limit, "created_at", "address_index")
    found["items"] = [{**row, "email": people.address_of(row["address"])} for row in found["items"]]
    return found


def suppress(fields: Mapping[str, Any]) -> None:
    """Write to an address no more."""
    address = _address(fields["email"])
    entry = {
        "address_index": people.address_index(address),
        "address": crypto.seal(address),
        "channel": "email",
        "scope": fields["scope"],
        "reason": "by_hand",
        "source": fields["source"],
    }
    with transaction() as tx:
        store.add(tx, [entry])
        after = {"email": address, "scope": fields["scope"], "source": fields["source"]}
        audit.record(tx, "suppression.add", ("suppression", entry["address_index"]), after=after)


def lift(email: str) -> None:
    """Write to an address again."""
    address = _address(email)
    index = people.address_index(address)
    with transaction() as tx:
        if store.remove(tx, index, "email") == 0:
            raise NotFound("this address is not suppressed")
        audit.record(tx, "suppression.lift", ("suppression", index), before={"email": address})


def _address(email: str) -> str:
    address = addresses.normalise(email)
    if not addresses.sendable(address):
        raise Invalid("this is no e-mail address", errors=[{"path": "email", "message": "not an address"}])
    return address
