"""`python -m tests.upgrade`: a small shop on this release, backed up into tests/upgrade/dumps/<release>.zip.

Made once per release, before its first migration for the next one, and committed: from then on every change is tried
on it. All people, keys and addresses in it are made up.
"""

import contextlib
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import requests
from psycopg.types.json import Jsonb

from deploy import people
from deploy.backup import place, saving
from services.console.actions import sessions, users
from shared.ids import uuid7
from shared.problems import Unauthorized
from tests.journey.platform import Platform, eventually, free_block, zhike
from tests.journey.test_tea_shop import BROWSER, NOW, TeaShop
from tests.upgrade.keys import KEYS

DUMPS = Path(__file__).parent / "dumps"


def main() -> None:
    """Start, live through a little of everything, stop, save."""
    os.environ.update(KEYS)
    with tempfile.TemporaryDirectory(prefix="zhike-release-") as folder:
        data = Path(folder) / "data"
        base_port = free_block()
        zhike("up", "--detach", "--with", "mail", "--data", str(data), "--port", str(base_port))
        try:
            live(Platform(data, base_port))
        finally:
            zhike("stop", "--data", str(data))
        target = DUMPS / f"{saving.release()}.zip"
        target.unlink(missing_ok=True)
        with place.opened(data, alone=True) as here:
            catch_in_passing(here.owner_url)
            rows = saving.save(here, target).rows()
    empty = sorted(table for table, count in rows.items() if not count)
    print(f"{target}: {target.stat().st_size} bytes, {sum(rows.values())} rows")
    if empty:
        target.unlink()
        sys.exit(f"nothing in {', '.join(empty)}: let live() or catch_in_passing() put something there")


def live(platform: Platform) -> None:
    """Events, a merge, an alias, a refund, refusals, a campaign with its outcomes, a person who logs in."""
    shop = TeaShop(platform)
    shop.open_doors()
    mei, visitor = shop.people[0], f"visitor-{shop.mark}"
    returned = {"order_id": "R-1", "currency": "CNY", "total": 88}
    soon = (NOW + timedelta(hours=3)).isoformat()
    platform.send(
        {"type": "page", "anonymousId": visitor, "messageId": str(uuid7()), "properties": {"path": "/tea"}},
        {"type": "identify", "anonymousId": visitor, "userId": mei, "messageId": str(uuid7())},
        {"type": "alias", "previousId": shop.people[1], "userId": f"renamed-{shop.mark}", "messageId": str(uuid7())},
        shop.order(mei, 1, NOW) | {"messageId": str(uuid7())},
        {"type": "track", "event": "Order Refunded", "userId": mei, "messageId": str(uuid7()), "properties": returned},
        {"type": "track", "event": "Tea Tasting", "userId": mei, "messageId": str(uuid7()), "timestamp": soon},
    )
    platform.call(
        "POST", "/v1/batch", "server", json={"batch": [{"type": "track", "userId": mei}]}
    )  # no event: refused
    eventually(lambda: platform.customer(f"user_id:{shop.people[-1]}"))
    eventually(lambda: platform.get("/v1/rejected-events")["items"])
    shop.consent(shop.people)
    policy = platform.get("/v1/sending-policy")
    platform.put("/v1/sending-policy", {name: policy[name] for name in SETTINGS} | {"cap_messages": 9})
    platform.post("/v1/suppressions", {"email": "no@customers.example", "scope": "all"})
    rule = {"trait": "tea_shop", "op": "=", "value": shop.mark}
    segment = platform.post("/v1/segments", {"name": f"Guests {shop.mark}", "rule": rule})
    eventually(lambda: platform.get(f"/v1/segments/{segment['segment_id']}")["size"] or None)
    shop.trained()
    job = platform.post("/v1/recompute")["job_id"]
    eventually(lambda: platform.get(f"/v1/recompute/{job}")["state"] == "done", 60)
    campaign = shop.campaign(segment["segment_id"])
    (link, *_) = shop.mails()[0].clicks
    time.sleep(2.2)  # what comes within two seconds is taken for a machine's doing
    requests.get(link, headers=BROWSER, allow_redirects=False, timeout=10)
    eventually(lambda: platform.get(f"/v1/campaigns/{campaign}/report")["engagement"]["clicked"])
    eventually(lambda: platform.get("/v1/log")["intake_rows"] == 0)
    with people.as_console(platform.data):
        login = users.create_user("lin@shop.example", "the password of a person made up", "admin")
        sessions.log_in(login.email, "the password of a person made up", "127.0.0.1")
        with contextlib.suppress(Unauthorized):
            sessions.log_in(login.email, "not it", "127.0.0.1")


SETTINGS = ("quiet_start", "quiet_end", "cap_messages", "cap_days", "expire_hours")


def catch_in_passing(owner_url: str) -> None:
    """Rows that workers take away within seconds: one in the intake, one customer to be computed again."""
    with psycopg.connect(owner_url) as owner:
        owner.execute(
            """
            INSERT INTO profile.intake (received_at, source, trusted, imported, message_key, message_id, type, event,
                occurred_at, own_kind, own_lookup, payload)
            VALUES (now(), 'server', true, false, gen_random_uuid(), 'waiting', 'track', 'Product Viewed', now(),
                'user_id', 'late-guest', %(payload)s)
            """,
            {"payload": Jsonb({"properties": {"product_id": "TEA"}})},
        )
        owner.execute(
            """
            INSERT INTO segmentation.touched
            SELECT customer_id, now(), 1 FROM segmentation.customer_feature LIMIT 1 ON CONFLICT DO NOTHING
            """
        )


if __name__ == "__main__":
    main()
