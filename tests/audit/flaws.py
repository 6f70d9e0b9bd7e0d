"""What pip-audit found, and whether it found anything out at all."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Audit:
    """Packages asked about, how many an answer came for, and the flaws: name, version, id, where it is mended."""

    asked: int
    answered: int
    flaws: list[tuple[str, str, str, str]]

    @property
    def sentence(self) -> str:
        """The outcome in words. An index that does not answer is not the same as no flaw."""
        if not self.answered:
            return (
                f"NOT AUDITED: the package index told nothing about any of {self.asked} packages; ask again elsewhere"
            )
        left = f", {self.asked - self.answered} could not be asked about" if self.answered < self.asked else ""
        return f"{len(self.flaws)} known flaws in {self.answered} packages{left}"


def read(report: str) -> Audit:
    """pip-audit's JSON; anything else (an index that cannot be reached) is an audit without answers."""
    try:
        parsed = json.loads(report)
        packages: list[dict[str, Any]] = parsed["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit(0, 0, [])
    told = [one for one in packages if "vulns" in one]
    flaws = [
        (one["name"], one["version"], flaw["id"], ", ".join(flaw["fix_versions"]) or "nowhere yet")
        for one in told
        for flaw in one["vulns"]
    ]
    return Audit(len(packages), len(told), flaws)
