"""A storm: so many hostile requests at one service, and the count of what came of them."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.hostile.doors import Door
from tests.hostile.drafts import Draft, generate
from tests.hostile.judging import faults
from tests.hostile.spoiling import Spoiler

SAMPLES: Final = 200


@dataclass
class Outcome:
    """What a service answered, by status (0: the connection was closed), and every answer that must not be."""

    service: str
    statuses: Counter[int] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    slowest: dict[str, Any] = field(default_factory=lambda: {"seconds": 0.0})

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return sum(self.statuses.values())


def rage(
    service: str,
    document: dict[str, Any],
    doors: Sequence[Door],
    key: str,
    *,
    number: int,
    requests: int,
    of_each: int,
) -> Outcome:
    """At least `requests` requests over all operations of `document`, the same for the same `number`."""
    outcome, spoiler, dice = Outcome(service), Spoiler(number), random.Random(number)
    operations = list(generate(document, number, of_each))
    while outcome.requests < requests:
        for name, drafts in operations:
            for draft in dice.sample(drafts, min(len(drafts), 5)):
                spoilt = spoiler.spoil(draft)
                _knock(outcome, name, spoilt, dice.choice(doors), key, spoiler)
    return outcome


def _knock(outcome: Outcome, name: str, draft: Draft, door: Door, key: str, spoiler: Spoiler) -> None:
    answer = door.knock(draft, key)
    outcome.ways[draft.kind] += 1
    outcome.statuses[answer.status if answer else 0] += 1
    if answer:
        found = faults(answer, draft.content + draft.target)
    else:  # what is no HTTP may be hung up on while its body comes
        found = [] if _is_no_http(draft) else ["the connection was closed without an answer"]
    if answer and 200 <= answer.status < 300 and draft.method in ("GET", "POST"):
        spoiler.learn(answer.json)
    if answer and answer.seconds > outcome.slowest["seconds"]:
        outcome.slowest = {"seconds": round(answer.seconds, 2), "operation": name, "way": draft.kind}
    if found and len(outcome.faults) < SAMPLES:
        outcome.faults.append(
            {
                "operation": name,
                "way": draft.kind,
                "faults": found,
                "request": f"{draft.method} {draft.target[:300].decode('latin-1')}",
                "headers": repr([pair for pair in draft.headers if len(pair[1]) < 200]),
                "body": draft.content[:600].decode("latin-1"),
                "answer": answer.body[:600].decode("utf-8", "replace") if answer else "",
            }
        )


def _is_no_http(draft: Draft) -> bool:
    return any(name == b"Host" and not value.isascii() for name, value in draft.headers)


def together(parts: Sequence[Outcome]) -> list[Outcome]:
    """One outcome for each service out of those of its parts."""
    whole: dict[str, Outcome] = {}
    for part in parts:
        outcome = whole.setdefault(part.service, Outcome(part.service))
        outcome.statuses += part.statuses
        outcome.ways += part.ways
        outcome.faults += part.faults
        outcome.slowest = max(outcome.slowest, part.slowest, key=lambda one: one["seconds"])
    return list(whole.values())
