"""Finding customers by whatever somebody typed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.console.actions.sessions import Person
from services.console.actions.siblings import Answer, Ask, ask_all
from services.console.domain import search

MOST: Final = 25
_MOST_IDS: Final = 100


def find(who: Person, text: str) -> tuple[list[dict[str, Any]], Answer | None]:
    """The customers this may be, each once, and the answer that failed, if one did (other than by finding none)."""
    questions = {f"identifier {n}": _by(identifier=one) for n, one in enumerate(search.identifiers(text))}
    known = search.customer_id(text)
    if known:
        questions["id"] = Ask("profile", f"/v1/customers/{known}")
    if search.may_be_name(text):
        questions["name"] = _by(name=text.strip(), limit=MOST)
    found: dict[str, dict[str, Any]] = {}
    failed = None
    for answer in ask_all(who, questions).values():
        if answer.ok:
            rows = answer.value.get("items", [answer.value])
            found.update((row["customer_id"], row) for row in rows)
        elif not answer.missing and answer.problem and answer.problem.status not in (400, 422):
            failed = answer
    return list(found.values()), failed


def one(who: Person, text: str) -> UUID | None:
    """The one customer this is; None where it is nobody or several."""
    known = search.customer_id(text)
    if known:
        return known
    rows, _ = find(who, text)
    return UUID(rows[0]["customer_id"]) if len(rows) == 1 else None


def names(who: Person, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The customers that rows of another service speak of, by id; fewer, or none, where profile does not say."""
    ids = sorted({str(row["customer_id"]) for row in rows if row.get("customer_id")})
    found: dict[str, dict[str, Any]] = {}
    batches = [ids[start : start + _MOST_IDS] for start in range(0, len(ids), _MOST_IDS)]
    questions = {str(n): _by(ids=",".join(batch)) for n, batch in enumerate(batches)}
    for answer in ask_all(who, questions).values():
        found.update((row["customer_id"], row) for row in answer.items)
    return found


def _by(**params: Any) -> Ask:
    return Ask("profile", "/v1/customers", params)
