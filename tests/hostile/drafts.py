"""A request in parts, still to be spoilt, and the bytes it becomes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

ABSENT: Final = object()


@dataclass(frozen=True)
class Draft:
    """One request. `path` has its parameters in braces; a `body` that is bytes goes as it is, another as JSON."""

    method: str
    path: str
    parameters: dict[str, str] = field(default_factory=dict)  # percent-encoded already
    query: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: Any = ABSENT
    kind: str = "as generated"

    def but(self, kind: str, **changes: Any) -> "Draft":
        """This request with something else in it; `kind` says what."""
        return replace(self, kind=kind, **changes)

    @property
    def target(self) -> bytes:
        """Path and query as they stand in the first line of the request."""
        path = self.path
        for name, value in self.parameters.items():
            path = path.replace(f"{{{name}}}", value or "%20")
        query = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in self.query)
        return (quote(path, safe="/%{}~") + (f"?{query}" if query else "")).encode("ascii", "replace")

    @property
    def content(self) -> bytes:
        """The body."""
        if self.body is ABSENT:
            return b""
        return self.body if isinstance(self.body, bytes) else dumped(self.body)


def encoded(value: Any) -> str:
    """A value as it stands in a query; surrogates and all."""
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    return quote(raw, safe="")


def dumped(value: Any) -> bytes:
    """JSON, with what JSON does not know (NaN, lone surrogates) spelt as many writers do."""
    try:
        return json.dumps(value, default=str).encode()
    except (ValueError, RecursionError):  # a number with more digits than Python prints
        return b'{"value": ' + b"9" * 5000 + b"}"


def generate(document: dict[str, Any], number: int, of_each: int) -> Iterator[tuple[str, list[Draft]]]:
    """For each operation of an OpenAPI document: its name and 2 * `of_each` requests, half of them against the schema.

    The same `number` gives the same requests.
    """
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        drafts: list[Draft] = []
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            drafts += _drawn(operation, mode, number, of_each)
        yield f"{operation.method.upper()} {operation.path}", drafts


def _drawn(operation: Any, mode: GenerationMode, number: int, count: int) -> list[Draft]:
    drafts: list[Draft] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        drafts.append(_draft(case))

    draw()
    return drafts


def _draft(case: Any) -> Draft:
    body = case.body
    if type(body).__name__ == "NotSet":
        body = ABSENT
    query = [(str(name), one) for name, value in (case.query or {}).items() for one in _each(value)]
    parameters = {str(name): str(value) for name, value in (case.path_parameters or {}).items()}
    kind = [] if body is ABSENT else [(b"Content-Type", b"application/json")]
    return Draft(case.method.upper(), case.path, parameters, query, kind, body)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
