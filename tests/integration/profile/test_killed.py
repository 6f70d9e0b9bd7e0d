"""A replay of many events whose process is killed in the middle: asked once more, everything is in, and in once."""

import threading
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest
import requests

from services.profile.actions import append
from services.profile.actions import rejected as actions
from services.profile.store import rejected as store
from shared import auth, crypto
from shared.database import transaction
from shared.ids import uuid7
from tests.integration.campaign import sender
from tests.journey.platform import eventually

EVENTS, HELD = 200, 130  # so many, and the place of one that somebody else holds on to


def set_aside(number):
    event = {"type": "track", "event": "Tea Tasted", "userId": "mei", "messageId": f"tasted {number}"}
    return {
        "rejected_id": uuid7(), "received_at": datetime.now(UTC), "key_id": None, "source": "test", "trusted": True,
        "imported": False, "type": None, "reasons": [{"code": "x", "path": "", "message": "a rule of yesterday"}],
        "body": crypto.seal(msgspec.json.encode(event).decode()), "shared": None,
    }  # fmt: skip


def replayed():
    with transaction(read_only=True) as tx:
        return EVENTS - store.count_waiting(tx)


@pytest.mark.slow
def test_a_replay_killed_in_the_middle_goes_on_when_asked_again_and_every_event_is_in_once(database_clone):
    settings = database_clone("profile")
    events = [set_aside(number) for number in range(EVENTS)]
    ids = sorted(event["rejected_id"] for event in events)
    with transaction() as tx:
        store.add(tx, events)
    token = auth.service_token("console", "profile", scopes=("events:import",))
    asked = {"headers": {"Authorization": f"Bearer {token}"}, "json": {"rejected_ids": [str(one) for one in ids]}}
    address = f"{settings.service_urls['profile']}/v1/rejected-events/replay"
    answers = []

    def ask():
        try:
            answers.append(requests.post(address, **asked, timeout=60).status_code)
        except requests.RequestException:
            answers.append(0)

    asking = threading.Thread(target=ask)
    with psycopg.connect(settings.database_url, options="-c search_path=profile") as other:
        other.execute("SELECT FROM rejected_event WHERE rejected_id = %s FOR UPDATE", [ids[HELD]])
        with sender.serving(settings):
            asking.start()
            eventually(lambda: replayed() == HELD // actions.SLICE * actions.SLICE)  # now it waits for that one
        asking.join()
    assert answers == [0]  # its process was killed while it was at it
    eventually(lambda: actions.replay_many(None, "test")["waiting"] == 0)
    append.drain()
    with transaction(read_only=True) as tx:
        log = tx.all("SELECT message_id FROM profile_out.events_v1")
        written = tx.all("SELECT subject_id FROM audit_log WHERE action = 'event.replay'")
    assert sorted(row["message_id"] for row in log) == sorted(f"tasted {number}" for number in range(EVENTS))
    assert sorted(row["subject_id"] for row in written) == sorted(map(str, ids))
