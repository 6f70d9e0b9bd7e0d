"""What a run found, for machines (JSON), for the terminal, and for docs/reliability.md."""

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.bench import machine
from tests.fault.harness import Fault, Findings

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = ROOT / "var" / "fault.json"
PAGE: Final = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- fault report: begin -->", "<!-- fault report: end -->"


def as_data(findings: Findings) -> dict[str, Any]:
    """The whole report."""
    made = [fault for fault in findings.faults if fault.skipped is None]
    return {
        "passed": findings.passed,
        "ended_early": findings.ended_early,
        "unnoticed": findings.unnoticed,
        "seed": findings.wish.seed,
        "faults": len(made),
        "at": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        "machine": machine.described(),
        "kinds": [_kind(kind, made) for kind in sorted({fault.kind for fault in made})],
        "not_made": sorted({f"{fault.kind}: {fault.skipped}" for fault in findings.faults if fault.skipped}),
        "checks": [asdict(one) for one in findings.checks],
        "load": findings.load,
        "each": [
            {
                "number": fault.number,
                "kind": fault.kind,
                "target": fault.target,
                "at": fault.at,
                "lasted_s": fault.struck_s,
                "windows": fault.windows,
                "healing": fault.healing.seconds if fault.healing else None,
                "why": fault.healing.why if fault.healing else fault.skipped,
            }
            for fault in findings.faults
        ],
    }


def _kind(kind: str, made: Sequence[Fault]) -> dict[str, Any]:
    ours = [fault for fault in made if fault.kind == kind]
    seconds = [fault.healing.total for fault in ours if fault.healing and fault.healing.total is not None]
    return {
        "kind": kind,
        "count": len(ours),
        "healing_p50_s": round(statistics.median(seconds), 1) if seconds else None,
        "healing_max_s": round(max(seconds), 1) if seconds else None,
        "violations": sum(1 for fault in ours if not fault.healed_in_time),
    }


def write(data: dict[str, Any], path: Path = RESULTS) -> None:
    """Replace the results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def markdown(data: dict[str, Any]) -> str:
    """The report as it is put into the page."""
    lines = [
        (
            f"`make test-fault FAULTS={data['faults']} SEED={data['seed']}` on {data['machine']}, {data['at']} UTC:"
            f" **{'nothing forbidden happened' if data['passed'] else 'failed'}**."
        ),
        "",
        "| fault | times | healed: half within | all within | later than 30 s |",
        "|---|--:|--:|--:|--:|",
        *(
            f"| {kind['kind']} | {kind['count']} | {_seconds(kind['healing_p50_s'])}"
            f" | {_seconds(kind['healing_max_s'])} | {kind['violations']} |"
            for kind in data["kinds"]
        ),
        "",
        "| forbidden | looked at | found |",
        "|---|--:|--:|",
        *(f"| {one['name']} | {one['counted']:,} | {one['violations']} |" for one in data["checks"]),
        "",
        _load(data["load"]),
    ]
    if data["not_made"]:
        lines += ["", "Not made here: " + "; ".join(data["not_made"]) + "."]
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _load(load: dict[str, Any]) -> str:
    if "uncertain" not in load:
        return ""
    uncertain = load["uncertain"]
    return (
        f"Meanwhile the collector acknowledged {load['events acknowledged']:,} events ({load['orders']:,} orders), and"
        f" {load['campaigns']} campaigns handed {load['messages at the mail server']:,} messages over, of which"
        f" {load['of these never answered']:,} never got an answer. The faults can have interrupted"
        f" {load['hand-overs the faults can have interrupted']} windows; {uncertain['messages']} promotional messages"
        f" in {uncertain['windows']} windows ended as `uncertain`, {uncertain['had arrived']} of which had arrived."
    )


def paste(data: dict[str, Any], page: Path = PAGE) -> None:
    """Put the report between its marks in the page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{markdown(data)}\n{END}{after}", encoding="utf-8")
