"""The published tracking clients, unchanged, each in an environment of its own, against a running collector."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from services.console.actions import keys
from services.profile.actions import append
from services.profile.app import create_app
from shared.config import Settings
from shared.database import transaction

CLIENTS = Path(__file__).resolve().parents[2] / ".clients"
SEGMENT = """
import sys
from segment.analytics.client import Client
failed = []
client = Client(sys.argv[1], host=sys.argv[2], gzip=sys.argv[3] == "gzip", on_error=lambda *told: failed.append(told))
client.identify("mei", {"email": "mei@example.com", "name": "李梅", "plan": None})
for number in range(250):
    client.track("mei", "Product Viewed", {"product_id": str(number), "name": "龙井 🍵"})
client.page(user_id="mei", category="Tea", name="Longjing")
client.group("mei", "tea-club", {"name": "Tea Club"})
client.screen(anonymous_id="a1", name="Cart")
client.alias("old-mei", "mei")
client.flush()
client.join()
print(len(failed))
"""
RUDDER = """
import sys
from rudderstack.analytics.client import Client
failed = []
client = Client(sys.argv[1], host=sys.argv[2], gzip=sys.argv[3] == "gzip", on_error=lambda *told: failed.append(told))
client.identify("mei", {"email": "mei@example.com", "name": "李梅", "plan": None})
for number in range(250):
    client.track("mei", "Product Viewed", {"product_id": str(number), "name": "龙井 🍵"})
client.page("mei", "Tea", "Longjing")
client.group("mei", "tea-club", {"name": "Tea Club"})
client.screen(anonymous_id="a1", name="Cart")
client.alias("old-mei", "mei")
client.flush()
client.join()
print(len(failed))
"""


@pytest.fixture
def collector(database_clone: Any) -> Iterator[tuple[str, str, Settings]]:
    """A running collector on a database of its own: its address, a server key, its settings."""
    database_clone("console")
    key = keys.create_key("a tracking client", "server").secret
    settings = database_clone("profile")
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", key, settings
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("packing", ["plain", "gzip"])
@pytest.mark.parametrize(("client", "script"), [("segment", SEGMENT), ("rudder", RUDDER)])
def test_a_published_client_delivers_everything_once(collector, client, script, packing):
    python = CLIENTS / client / "bin" / "python"
    if not python.exists():
        pytest.skip(f"the environment .clients/{client} is not there; `make test` makes it")
    address, key, _ = collector
    ran = subprocess.run(
        [python, "-c", script, key, address, packing], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "0"), ran.stderr
    append.drain()
    with transaction(read_only=True) as tx:
        log = tx.all("SELECT * FROM profile_out.events_v1 ORDER BY position")
        mei = tx.all("SELECT * FROM profile_out.customers_v1 WHERE user_id = 'mei'")
        refused = tx.value("SELECT count(*) FROM rejected_event")
    counted: dict[str, int] = {}
    for row in log:
        counted[row["type"]] = counted.get(row["type"], 0) + 1
    assert (refused, counted.pop("merge", 0)) == (0, 0)
    assert counted == {"identify": 1, "track": 250, "page": 1, "group": 1, "screen": 1, "alias": 1}
    assert [row["payload"]["properties"]["product_id"] for row in log if row["type"] == "track"] == [
        str(number) for number in range(250)
    ]
    assert {row["payload"]["properties"]["name"] for row in log if row["type"] == "track"} == {"龙井 🍵"}
    assert len(mei) == 1
    assert mei[0]["email"].startswith("enc:1:")
