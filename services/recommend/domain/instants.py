"""Times that shops write into attributes."""

from datetime import UTC, datetime


def seconds_of(text: str) -> float | None:
    """A time in ISO 8601 as seconds since 1970 (UTC where it names no zone); None for other texts."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
