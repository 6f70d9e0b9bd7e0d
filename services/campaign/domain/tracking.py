"""Numbered links of a rendered message turned into tracked ones; no parsing, one split per message."""

import html
from collections.abc import Callable
from typing import Final

from services.campaign.domain.markup import LINK, LINK_END, NUMBERED, allowed_address

TRACKED: Final = ("http://", "https://")


def track(rendered: str, tracked_address: Callable[[int, str], str]) -> str:
    """`rendered` with each numbered link replaced by `tracked_address(number, destination)`.

    Destinations that are not http(s) stay as they are; those a browser would execute become "#".
    """
    head, *links = rendered.split(LINK)
    out = [head]
    for link in links:
        number, _, rest = link.partition(NUMBERED)
        escaped, _, after = rest.partition(LINK_END)
        destination = html.unescape(escaped).strip()
        if destination.lower().startswith(TRACKED):
            out.append(tracked_address(int(number), destination))
        else:
            out.append(html.escape(destination) if allowed_address(destination) else "#")
        out.append(after)
    return "".join(out)


def untracked(rendered: str) -> str:
    """`rendered` with its numbered links as plain ones, for previews."""
    return track(rendered, lambda _number, destination: html.escape(destination))
