"""Other people's clients, unchanged, each in an environment of its own, deliver through the running collector."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.ids import uuid7
from tests.journey.platform import ROOT, Platform, eventually

SCRIPTS = Path(__file__).parent / "clients"
TRACKED = 250


@pytest.fixture(params=["segment", "rudder"])
def interpreter(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """The client's name and the Python that has it."""
    python = ROOT / ".clients" / request.param / "bin" / "python"
    if not python.exists():
        pytest.skip(f"the {request.param} client is not installed: `make .clients/{request.param}/.installed`")
    return request.param, python


def deliver(platform: Platform, interpreter: tuple[str, Path], kind: str, *options: str) -> str:
    """Run the client's script to its end; the user id it spoke of."""
    name, python = interpreter
    person = f"{name}-{uuid7().hex}"
    command = [str(python), str(SCRIPTS / f"{name}_client.py"), platform.url, platform.key(kind), person, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return person


def events_of(platform: Platform, customer_id: str) -> list[dict[str, Any]]:
    """All of a customer's events, newest first."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        paging = {"cursor": cursor} if cursor else {}
        page = platform.get(f"/v1/customers/{customer_id}/events", limit=200, **paging)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("options", [(), ("--gzip",)], ids=["plain", "gzip"])
def test_everything_a_client_sends_reaches_its_customer(
    platform: Platform, interpreter: tuple[str, Path], options: tuple[str, ...]
) -> None:
    person = deliver(platform, interpreter, "server", *options)
    customer = eventually(lambda: platform.customer(f"user_id:{person}"))
    assert customer["email"] == f"{person}@customers.example"
    assert customer["traits"]["city"] == "Hangzhou"

    def all_of_them() -> list[dict[str, Any]] | None:
        found = events_of(platform, customer["customer_id"])
        return found if len(found) >= TRACKED + 6 else None

    events = eventually(all_of_them)
    by_type: dict[str, int] = {}
    for event in events:
        by_type[event["type"]] = by_type.get(event["type"], 0) + 1
    assert by_type == {"identify": 1, "page": 1, "screen": 1, "group": 1, "alias": 1, "track": TRACKED + 1}
    counted = [event for event in events if event["event"] == "Counted"]
    assert {event["payload"]["properties"]["number"] for event in counted} == set(range(TRACKED))
    viewed = next(event for event in events if event["event"] == "Product Viewed")
    assert abs(datetime.fromisoformat(viewed["occurred_at"]) - datetime(2026, 1, 5, 8, 30, tzinfo=UTC)).seconds < 60


def test_a_browser_safe_key_is_enough_to_send(platform: Platform, interpreter: tuple[str, Path]) -> None:
    person = deliver(platform, interpreter, "collect")
    assert eventually(lambda: platform.customer(f"user_id:{person}"))
