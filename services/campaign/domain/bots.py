"""Opens and clicks that no person made: kept, flagged, never counted."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from ua_parser import parse

TOO_FAST: Final = timedelta(seconds=2)
_PREFETCHERS: Final = ("GoogleImageProxy", "YahooMailProxy")


def flag(method: str, user_agent: str, delivered_at: datetime | None, now: datetime) -> str | None:
    """Why a reaction is a machine's; None for a person's.

    Mail scanners look at links without opening them (HEAD), or all at once on arrival. GoogleImageProxy fetches
    pictures when a person opens the message, so it is a person.
    """
    if method == "HEAD":
        return "head_request"
    if delivered_at is not None and now - delivered_at < TOO_FAST:
        return "within_two_seconds"
    return _by_agent(user_agent[:500])


@lru_cache(maxsize=4096)
def _by_agent(user_agent: str) -> str | None:
    if not user_agent.strip():
        return "no_user_agent"
    if any(proxy in user_agent for proxy in _PREFETCHERS):
        return None
    found = parse(user_agent)
    if found.device is not None and found.device.family == "Spider":
        return "crawler"
    family = found.user_agent.family if found.user_agent is not None else ""
    return "program" if family in _PROGRAMS else None


_PROGRAMS: Final = frozenset(
    {
        "Python Requests",
        "curl",
        "Wget",
        "Go-http-client",
        "Java",
        "okhttp",
        "Apache-HttpClient",
        "aiohttp",
        "python-httpx",
    }
)
