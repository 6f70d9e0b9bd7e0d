"""Checks of what is computed rather than kept: models whole, recommendations served, computations ended."""

import urllib.parse
from pathlib import Path
from typing import Any, Final

import requests

from services.recommend.artifacts import models
from tests.fault.counting import Check, check
from tests.fault.installation import Installation
from tests.fault.shopper import ITEMS

_ASKED: Final = 40
_ITEMS_EACH: Final = 5


def computed(platform: Installation) -> list[Check]:
    """Every check of this kind."""
    return [broken_models(platform), leftovers(platform), recommendations(platform), computations(platform)]


def broken_models(platform: Installation) -> Check:
    """Whatever the registry offers can be read, every file as it was written."""
    found = platform.rows("SELECT version, path FROM recommend.model WHERE path IS NOT NULL")
    wrong = []
    for version, path in found:
        try:
            models.read(path)
        except models.BrokenArtifact as error:
            wrong.append(f"{version}: {error}")
    return check("model in the registry that is not whole", len(found), wrong)


def leftovers(platform: Installation) -> Check:
    """What a trainer that died had begun to write is gone once another has published."""
    paths = [path for (path,) in platform.rows("SELECT path FROM recommend.model WHERE path IS NOT NULL")]
    known = {Path(urllib.parse.urlsplit(path).path) for path in paths}
    there = {entry for folder in {path.parent for path in known} for entry in folder.iterdir()}
    return check("half a model left on the disk", len(there), there - known)


def recommendations(platform: Installation) -> Check:
    """Buyers and a newcomer get as many items as were asked for, all of them in the catalogue."""
    catalogue = {f"item-{number}" for number in range(ITEMS)}
    people: list[dict[str, Any]] = [{"user_id": f"buyer-{number}"} for number in range(_ASKED - 1)]
    wrong = []
    for who in [*people, {}]:
        try:
            answer = platform.ask("POST", "/v1/recommendations", {**who, "n": _ITEMS_EACH, "exclude_seen": False})
        except requests.RequestException as error:
            wrong.append(f"{who}: {error}")
            continue
        items = [item["item_id"] for item in answer["items"]]
        if len(set(items)) != _ITEMS_EACH or not set(items) <= catalogue:
            wrong.append(f"{who}: {items}")
    return check("person without recommendations at the end", _ASKED, wrong)


def computations(platform: Installation) -> Check:
    """A full computation that was asked for has ended, well or with a reason."""
    found = platform.rows("SELECT job_id::text, state, error FROM segmentation.recompute_job")
    open_ones = [row for row in found if row[1] not in ("done", "failed") or (row[1] == "failed" and not row[2])]
    return check("computation that never ended", len(found), open_ones)
