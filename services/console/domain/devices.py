"""What a person recognises a browser of theirs by."""

from ua_parser import parse


def device(user_agent: str) -> str:
    """`Firefox on Windows`, as far as the browser says so; empty where it says nothing we know."""
    found = parse(user_agent[:500])
    parts = [part.family for part in (found.user_agent, found.os) if part and part.family]
    return " · ".join(parts)[:100]
