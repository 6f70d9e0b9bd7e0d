"""Golden Liquid, the conformance suite of the Liquid language, against our environment with its limits on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from liquid import DictLoader
from liquid.exceptions import LiquidError

from services.campaign.domain.liquid import MessageEnvironment

ROOT = Path(__file__).resolve().parents[2]
PLACES = [
    Path(os.environ.get("ZHIKE_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "golden-liquid",
    ROOT / "tests" / "contract" / "golden-liquid",
]
# What python-liquid itself does otherwise than Shopify's Liquid: `blank` beside nothing and false, and two cases of
# syntax that newer versions of Shopify's parser refuse.
KNOWN = {
    "blank and empty, false is equal to blank",
    "blank and empty, nil is equal to blank",
    "blank and empty, null is equal to blank",
    "blank and empty, undefined is equal to blank",
    "tags, case, unexpected when token, strict2",
    "tags, comment, incomplete tags are not parsed",
}


def _cases() -> Iterator[dict[str, Any]]:
    for place in PLACES:
        path = place / "golden_liquid.json"
        if path.is_file():
            yield from json.loads(path.read_text("utf-8"))["tests"]
            return


def _passes(case: dict[str, Any]) -> bool:
    environment = MessageEnvironment(autoescape=False, loader=DictLoader(case.get("templates", {})))
    try:
        found = environment.from_string(case["template"]).render(case.get("data") or {})
    except LiquidError:
        return bool(case.get("invalid"))
    return not case.get("invalid") and found in case.get("results", [case.get("result")])


def test_templates_mean_what_liquid_says_they_mean(record_property: Any) -> None:
    cases = list(_cases())
    if not cases:
        pytest.skip("the conformance suite is not on this machine (ZHIKE_CONFORMANCE names its folder)")
    failed = {case["name"] for case in cases if not _passes(case)}
    record_property("golden_liquid", f"{len(cases) - len(failed)} of {len(cases)}")
    assert failed <= KNOWN
