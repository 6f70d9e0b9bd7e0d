"""What the pages ask of the other services, and do through them, on behalf of whoever is logged in."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from services.console.actions.sessions import Person
from shared.client import SiblingDown, sibling
from shared.problems import Problem

READ_S: Final = 4.0  # a page is not worth waiting longer for; what is missing is said on it
CHANGE_S: Final = 15.0
SLOW_S: Final = 30.0

_pool: Final = ThreadPoolExecutor(max_workers=16, thread_name_prefix="sibling")


@dataclass(frozen=True)
class Ask:
    """One question to a sibling: a GET, or a POST that only reads (`json` given)."""

    service: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    timeout: float = READ_S


@dataclass(frozen=True)
class Answer:
    """What came of it: a value, or the problem in its place."""

    service: str
    value: Any = None
    problem: Problem | None = None

    @property
    def ok(self) -> bool:
        """Whether there is an answer."""
        return self.problem is None

    @property
    def missing(self) -> bool:
        """Whether the sibling knows no such thing (rather than not answering)."""
        return self.problem is not None and self.problem.status == 404

    @property
    def items(self) -> list[Any]:
        """The rows of a list; none where there is no answer."""
        return list(self.value["items"]) if self.ok and self.value else []


def ask(person: Person, question: Ask) -> Answer:
    """Put one question. Problems come back in the answer."""
    try:
        return Answer(question.service, _put(person, question))
    except Problem as problem:
        return Answer(question.service, problem=problem)


def ask_all(person: Person, questions: Mapping[str, Ask]) -> dict[str, Answer]:
    """Put several questions at the same time; the slowest sibling decides how long it takes."""
    running = {name: _pool.submit(copy_context().run, ask, person, question) for name, question in questions.items()}
    return {name: future.result() for name, future in running.items()}


def get(person: Person, question: Ask) -> Any:
    """The answer a page cannot do without. Raises the sibling's problem, SiblingDown."""
    return _put(person, question)


@dataclass(frozen=True)
class Change:
    """Something to be done by a sibling; it keeps the audit log of its own changes, in the transaction of each."""

    service: str
    method: str
    path: str
    json: Any = None
    version: str | None = None  # If-Match
    timeout: float = CHANGE_S


def carry_out(person: Person, change: Change) -> Any:
    """Have a sibling do something in the name of a person. Raises the sibling's problem, SiblingDown."""
    headers = {"If-Match": change.version} if change.version else {}
    return sibling(change.service).request(
        change.method,
        change.path,
        json=change.json,
        timeout=change.timeout,
        user=str(person.user_id),
        scopes=person.scopes,
        headers=headers,
    )


def _put(person: Person, question: Ask) -> Any:
    return sibling(question.service).request(
        "GET" if question.json is None else "POST",
        question.path,
        params=dict(question.params),
        json=question.json,
        timeout=question.timeout,
        user=str(person.user_id),
        scopes=person.scopes,
        idempotent=question.json is not None,
    )


__all__ = ["Answer", "Ask", "Change", "SiblingDown", "ask", "ask_all", "carry_out", "get"]
