"""Why an event was rejected, in the reader's language. Profile says it in English, as its API does."""

import re
from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

# What profile says (the whole of it) -> how it is said here, with the names of the pattern's groups.
_KNOWN: Final[tuple[tuple[str, LazyString], ...]] = (
    (r"a track event needs a name in `event`", _("a track event needs a name in `event`")),
    (r"the event has no type", _("the event has no type")),
    (
        r"there is no event type (?P<type>.+); there are (?P<all>.+)",
        _("there is no event type %(type)s; there are %(all)s"),
    ),
    (
        r"the event names nobody: give a userId or an anonymousId",
        _("the event names nobody: give a userId or an anonymousId"),
    ),
    (r"an alias needs a userId and a previousId", _("an alias needs a userId and a previousId")),
    (
        r"context\.identityId is not an id(?:entity we know| of ours)",
        _("context.identityId is not an identity we know"),
    ),
    (
        r"the time cannot be used: (?P<text>.+) is not an ISO 8601 time",
        _("the time cannot be used: %(text)s is not an ISO 8601 time"),
    ),
    (
        r"the time cannot be used: it lies more than a day in the future",
        _("the time cannot be used: it lies more than a day in the future"),
    ),
    (r"the time cannot be used: it lies before 1990", _("the time cannot be used: it lies before 1990")),
    (
        r"the event has (?P<size>[\d,]+) bytes; at most (?P<most>[\d,]+) are taken with this key",
        _("the event has %(size)s bytes; at most %(most)s are taken with this key"),
    ),
    (r"a text holds the character NUL .+", _("a text holds the character NUL, which cannot be stored")),
    (r"objects are nested deeper than (?P<most>\d+) levels", _("objects are nested deeper than %(most)s levels")),
    (r"the text is not UTF-8", _("the text is not UTF-8")),
    (r"this is not JSON: (?P<why>.+)", _("this is not JSON: %(why)s")),
    (r"Expected `(?P<wanted>.+)`, got `(?P<given>.+)`", _("%(wanted)s is expected here, not %(given)s")),
    (r"Object missing required field `(?P<name>.+)`", _("the field %(name)s is missing")),
    (r"(?P<name>.+) is longer than (?P<most>\d+) characters", _("%(name)s is longer than %(most)s characters")),
    (r"the event could not be appended: (?P<error>\w+)", _("the event could not be added to the log: %(error)s")),
    (r"this event has been replayed already", _("this event has been replayed already")),
)


def in_words(message: str) -> str:
    """The sentence in the reader's language; as it is where it is none that we know."""
    for pattern, text in _KNOWN:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return str(text) % found.groupdict()
    return message
