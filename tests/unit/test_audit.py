"""An audit that could ask nobody is not one that found nothing."""

import json

from tests.audit.flaws import read

CLEAN = {"name": "flask", "version": "3.1.0", "vulns": []}
UNKNOWN = {"name": "tea", "version": "1.0", "skip_reason": "Dependency not found on PyPI and could not be audited"}
FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}


def audited(*packages):
    return read(json.dumps({"dependencies": packages, "fixes": []}))


def test_a_flaw_is_told_with_where_it_is_mended():
    assert audited(CLEAN, {"name": "tea", "version": "1.0", "vulns": [FLAW]}).flaws == [
        ("tea", "1.0", "PYSEC-2026-1", "2.0")
    ]


def test_packages_nothing_is_known_of_are_counted_and_told():
    assert audited(CLEAN, UNKNOWN).sentence == "0 known flaws in 1 packages, 1 could not be asked about"


def test_an_index_that_does_not_answer_is_said_to_be_that():
    for audit in (read(""), read("connection refused"), read("[]"), audited(UNKNOWN, UNKNOWN)):
        assert audit.sentence.startswith("NOT AUDITED")
        assert audit.flaws == []
