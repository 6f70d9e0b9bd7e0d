"""Each threat of docs/security.md names the tests that try it, and they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?!-|what \||who \|)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def threats():
    """The rows of the tables: what is tried, and the cell with the tests."""
    _, _, after = PAGE.partition("## Threats")
    return [(row[1], row[3]) for row in ROW.finditer(after)]


def test_each_threat_has_a_test():
    assert len(threats()) > 30
    assert [what for what, tests in threats() if "::test_" not in tests] == []


def test_every_test_named_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []
