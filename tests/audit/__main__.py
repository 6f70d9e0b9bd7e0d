"""`make audit`: fails for a known flaw or a licence that pyproject.toml does not allow; says what it could not ask."""

import os
import subprocess
import sys
from pathlib import Path

from tests.audit.flaws import Audit, read

PATIENCE_S = 180.0


def main() -> int:
    """0: nothing known is wrong; 1: a flaw, or a licence that is not on the list."""
    audit = _flaws()
    print(f"audit: {audit.sentence}")
    for name, version, flaw, mended in audit.flaws:
        print(f"  {name} {version}: {flaw}, mended in {mended}")
    licences = _tool("pip-licenses", "--from=mixed", "--format=plain")
    allowed = licences is not None and licences.returncode == 0
    print("licences: all are on the list of pyproject.toml" if allowed else _complaint(licences))
    return 0 if allowed and not audit.flaws else 1


def _flaws() -> Audit:
    done = _tool("pip-audit", "--local", "--skip-editable", "--progress-spinner=off", "--format=json", "--timeout=10")
    return read(done.stdout if done else "")


def _complaint(done: subprocess.CompletedProcess[str] | None) -> str:
    return f"licences: {(done.stderr or done.stdout).strip() if done else 'pip-licenses did not end'}"


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """What a tool beside this Python says; None where it takes too long."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=environment)
    except subprocess.TimeoutExpired:
        return None


if __name__ == "__main__":
    sys.exit(main())
