"""The short form: ten faults on the running platform, and a count that notices whatever is forbidden."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FROZEN = "freeze every appender for good"
LIMIT_S = 1500.0


@pytest.mark.fault
@pytest.mark.slow
def test_ten_faults_lose_nothing_and_double_nothing_and_the_count_would_have_noticed(tmp_path: Path) -> None:
    # In a process of its own: it ends by itself, and a test worker is no place for a platform under fire.
    out = tmp_path / "fault.json"
    command = [sys.executable, "-m", "tests.fault", "--faults", "10", "--seed", "7", "--quick", "--first", FROZEN]
    arguments = ["--damage", "--port", "0", "--limit", str(LIMIT_S), "--out", str(out)]
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S + 300
    )
    assert out.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    assert found["ended_early"] is None, done.stdout
    # How quickly it heals is the long form's business: here others may be using the machine.
    wrong = {one["name"]: one["samples"] for one in found["checks"] if one["violations"] and "30 s" not in one["name"]}
    assert wrong == {}
    assert found["unnoticed"] == []
    assert found["faults"] == 10
    # The one whose healing nobody but the supervisor can bring about.
    assert found["each"][0]["kind"] == FROZEN
    assert max(found["each"][0]["healing"].values()) < 30.0
