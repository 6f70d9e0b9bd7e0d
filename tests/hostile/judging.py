"""What an answer to a hostile request may look like."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

# Of a Python stack trace, of psycopg and Postgres, of our own tables and statements.
_TRACE: Final = re.compile(
    r'Traceback \(most recent|File "[^"\n]+", line \d+|\b(psycopg|werkzeug|marshmallow|orjson)\.'
)
_SQL: Final = re.compile(
    r"\bSELECT\b.{0,200}\bFROM\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|relation \"|syntax error at or near"
    r"|violates \w+ constraint|invalid input syntax|invalid byte sequence|SQLSTATE",
    re.DOTALL,
)
# The proxy's HTTP library, about what is no HTTP, before any handler of the proxy hears of it.
_NO_HTTP: Final = (b"400 Bad Request: malformed Host header",)


@dataclass(frozen=True)
class Answer:
    """What came back; `seconds` it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The parsed body, None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def faults(answer: Answer, sent: bytes = b"") -> list[str]:
    """What is wrong with an answer; `sent` is what it may repeat of the request without telling anything of ours."""
    found = []
    if answer.status >= 500:
        found.append(f"status {answer.status}")
    if 400 <= answer.status < 500 and answer.body and answer.body not in _NO_HTTP and not _is_problem(answer):
        found.append(f"a refusal that is no problem+json ({answer.headers.get('content-type')})")
    if any("\n" in value or "\r" in value for value in answer.headers.values()) or "x-injected" in answer.headers:
        found.append("a header of the caller's making")
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 400:
        for what, pattern in (("a stack trace", _TRACE), ("SQL", _SQL)):
            match = pattern.search(text)
            if match and match[0].encode() not in sent:
                found.append(f"{what}: {match[0][:80]}")
    return found


def _is_problem(answer: Answer) -> bool:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return False
    problem = answer.json
    return isinstance(problem, dict) and {"status", "title", "detail", "code"} <= set(problem)
