"""More processes of each role, and still every rule holds: counted from outside through running processes.

The short form scales what the rules are about; SCALE=all (`make test-scale`) runs every role there is at least twice.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy import up
from deploy.demo import mailbox
from deploy.home import Home
from deploy.topology import ROLES, SINGLE
from shared import contracts, queue
from shared.ids import uuid7
from tests.journey.platform import Platform, eventually, shared, zhike

pytestmark = pytest.mark.slow

NAMED = {"profile-api": 4, "profile-appender": 2, "campaign-worker": 3, "campaign-sender": 2}
ALL = {role.name: 2 for role in ROLES if role.kind not in SINGLE} | NAMED
SCALE = ALL if os.environ.get("SCALE") == "all" else NAMED
PEOPLE = 150
CONNECTIONS = 4
BATCH = 50


def start(data: Path, base_port: int) -> dict[str, str]:
    asked = [part for role, count in SCALE.items() for part in ("--scale", f"{role}={count}")]
    zhike("up", "--detach", "--with", "mail", *asked, "--data", str(data), "--port", str(base_port))
    return {}


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Platform]:
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent
    with shared(root / "scaled", start=start) as platform:
        settings = {"sender_email": "tea@shop.example", "public_url": platform.url, "allow_list": None}
        platform.put("/v1/shop", {"name": "Tea", "currency": "CNY", "time_zone": "Asia/Shanghai", **settings})
        policy = {"quiet_start": "00:00", "quiet_end": "00:00", "cap_messages": 0, "cap_days": 7, "expire_hours": 24}
        platform.put("/v1/sending-policy", policy)
        yield platform


def rows(platform: Platform, query: str) -> list[tuple[Any, ...]]:
    around = up.surroundings(Home(platform.data))
    assert around is not None
    with psycopg.connect(around.owner_url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def introduced(platform: Platform, count: int) -> tuple[str, list[str]]:
    """A mark, and people with it who agreed to e-mail."""
    mark = uuid7().hex
    people = [f"guest-{number}-{mark}" for number in range(count)]
    messages = [
        identify(person, {"email": f"{person}@customers.example", "name": "Mei", "mark": mark}) for person in people
    ]
    for first in range(0, count, BATCH):
        platform.send(*messages[first : first + BATCH])
    eventually(lambda: platform.customer(f"user_id:{people[-1]}"))
    consent = {"purpose": "marketing", "channel": "email", "granted": True}
    platform.post("/v1/consents", {"consents": [{"identifier": f"user_id:{person}", **consent} for person in people]})
    return mark, people


def identify(person: str, traits: dict[str, Any]) -> dict[str, Any]:
    return {"type": "identify", "userId": person, "messageId": str(uuid7()), "traits": traits}


def segment_of(platform: Platform, mark: str, size: int) -> str:
    rule = {"trait": "mark", "op": "=", "value": mark}
    segment_id: str = platform.post("/v1/segments", {"name": mark, "rule": rule})["segment_id"]
    eventually(lambda: platform.get(f"/v1/segments/{segment_id}")["size"] == size)
    return segment_id


def scheduled(platform: Platform, segment_id: str, purpose: str) -> str:
    """A campaign to the segment that has been told to go."""
    text = "<p>{{ customer.name }}</p><a href='{{ unsubscribe_url }}'>退订</a>"
    template = {"name": f"Letter {uuid7()}", "subject": "新茶到了", "html": text}
    template_id = platform.post("/v1/templates", template)["template_id"]
    wanted = {"name": f"Tea {uuid7()}", "segment_id": segment_id, "template_id": template_id, "purpose": purpose}
    campaign_id: str = platform.post("/v1/campaigns", {**wanted, "holdout_share": 0.0})["campaign_id"]
    platform.post(f"/v1/campaigns/{campaign_id}/schedule", {})
    return campaign_id


def is_sent(platform: Platform, campaign_id: str) -> bool:
    return bool(platform.get(f"/v1/campaigns/{campaign_id}")["status"] == "sent")


def received(platform: Platform, mark: str) -> Counter[str]:
    return Counter(mail.recipient for mail in mailbox.read(platform.mail) if mark in mail.recipient)


def processes(platform: Platform) -> list[dict[str, Any]]:
    return [entry for entry in Home(platform.data).read_state()["processes"] if entry["role"] != "migrate"]


@contextmanager
def slow_work(platform: Platform) -> Iterator[None]:
    """Every trainer and every worker for full computations is in the middle of a task, and none of them ends.

    (A lock of ours makes each wait for the table with which it begins.)
    """
    around = up.surroundings(Home(platform.data))
    assert around is not None
    beat = queue.create_beat(around.redis_url, {})
    tables = {"recommend.train": "recommend.training", "segmentation.recompute": "segmentation.recompute_job"}
    with psycopg.connect(around.owner_url) as connection:
        connection.execute("LOCK TABLE recommend.training, segmentation.recompute_job IN ACCESS EXCLUSIVE MODE")
        for task, role in (("recommend.train", "recommend-trainer"), ("segmentation.recompute", "segmentation-batch")):
            for _ in range(SCALE.get(role, 1)):
                beat.send_task(task, queue=contracts.TASKS[task])
        eventually(lambda: waited_for(platform) >= set(tables.values()))  # readers may wait for one another, too
        yield
    beat.close()


def waited_for(platform: Platform) -> set[str]:
    """Tables that somebody waits for the lock of."""
    query = """
        SELECT n.nspname || '.' || c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT l.granted
        """
    return {name for (name,) in rows(platform, query)}


def test_as_many_processes_of_each_role_run_as_were_asked_for(scaled: Platform) -> None:
    running = Counter(entry["role"] for entry in processes(scaled) if entry["state"] == "running")
    assert {role: running[role] for role in SCALE} == SCALE


def test_whoever_appends_each_event_is_in_the_log_once_and_no_position_is_missing(scaled: Platform) -> None:
    """Each batch comes from two connections at once, as from a client that repeats what was not answered in time."""
    mark = uuid7().hex
    sent = [
        [
            {"type": "track", "event": "Viewed", "userId": f"{n}-{mark}", "messageId": f"{mark}-{batch}-{n}"}
            for n in range(BATCH)
        ]
        for batch in range(20)
    ]
    scaled.key("server")

    def send(half: int) -> None:
        for batch in sent[half::2]:
            scaled.send(*batch)

    threads = [threading.Thread(target=send, args=(number % 2,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [message["messageId"] for batch in sent for message in batch]

    def logged() -> list[str] | None:
        found = [name for (name,) in rows(scaled, "SELECT message_id FROM profile_out.events_v1")]
        return found if set(ids) <= set(found) else None

    found = Counter(eventually(logged))
    assert [name for name in ids if found[name] != 1] == []
    ((first, last, count),) = rows(scaled, "SELECT min(position), max(position), count(*) FROM profile_out.events_v1")
    assert (first, last) == (1, count)


def test_whoever_sends_each_gets_one_letter_and_all_end_in_a_state(scaled: Platform) -> None:
    mark, people = introduced(scaled, PEOPLE)
    segment_id = segment_of(scaled, mark, PEOPLE)
    campaigns = [scheduled(scaled, segment_id, purpose) for purpose in ("promotional", "transactional")]
    for campaign_id in campaigns:
        eventually(lambda campaign_id=campaign_id: is_sent(scaled, campaign_id), 60)  # type: ignore[misc]
        assert scaled.get(f"/v1/campaigns/{campaign_id}")["recipients"] == {"sent": PEOPLE}
    assert received(scaled, mark) == Counter({f"{person}@customers.example": 2 for person in people})


def test_trainings_and_computations_that_do_not_end_delay_no_letter_no_event_and_no_recommendation(
    scaled: Platform,
) -> None:
    mark, people = introduced(scaled, 3)
    items = [{"item_id": f"{number}-{mark}", "name": "Cup", "category": mark} for number in range(5)]
    scaled.put("/v1/items", {"items": items})
    segment_id = segment_of(scaled, mark, len(people))
    with slow_work(scaled):
        import_much(scaled)
        campaign_id = scheduled(scaled, segment_id, "transactional")
        scaled.send(identify(f"late-{mark}", {"name": "Lin"}))
        eventually(lambda: scaled.customer(f"user_id:late-{mark}"))
        wanted = {"user_id": people[0], "n": 3, "filter": {"category": mark}}
        assert len(scaled.post("/v1/recommendations", wanted)["items"]) == 3
        eventually(lambda: is_sent(scaled, campaign_id))
    assert received(scaled, mark).total() == len(people)


def import_much(platform: Platform) -> None:
    """A shop's past through the import's door: 5,000 orders."""
    then = datetime(2025, 11, 11, tzinfo=UTC).isoformat()
    for _ in range(10):
        batch = [
            {
                "type": "track",
                "event": "Order Completed",
                "userId": f"buyer-{number}",
                "messageId": str(uuid7()),
                "timestamp": then,
                "properties": {"order_id": str(uuid7()), "currency": "CNY", "total": 88},
            }
            for number in range(500)
        ]
        platform.post("/v1/import", {"batch": batch}, "server")


def test_nobody_fell_over_meanwhile(scaled: Platform) -> None:
    assert [entry["name"] for entry in processes(scaled) if entry["restarts"] or entry["state"] != "running"] == []
