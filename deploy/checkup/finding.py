"""What an examination comes to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at. A `warn` costs a feature or will cost one, a `fail` keeps the platform from its work."""

    subject: str
    verdict: str  # ok | warn | fail
    fact: str
    remedy: str = ""


def judge(subject: str, fact: str, remedy: str, *, fail: bool = False, warn: bool = False) -> Finding:
    """A finding with the worst verdict that applies."""
    return Finding(subject, "fail" if fail else "warn" if warn else "ok", fact, remedy)
