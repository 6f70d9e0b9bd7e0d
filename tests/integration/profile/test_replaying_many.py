"""Rejected events are replayed together: the good ones go in, the others stay with their reason."""

from datetime import UTC, datetime

from shared import crypto
from shared.ids import uuid7

GOOD = '{"type": "track", "userId": "mei", "event": "Product Viewed", "messageId": "m-1"}'
BAD = '{"type": "track"}'


def set_aside(tx, body):
    from services.profile.store import rejected

    rejected_id = uuid7()
    row = {"rejected_id": rejected_id, "received_at": datetime.now(UTC), "key_id": None, "source": "test"}
    row |= {"trusted": True, "imported": False, "type": None, "reasons": [{"code": "x", "path": "", "message": "x"}]}
    rejected.add(tx, [{**row, "body": crypto.seal(body), "shared": None}])
    return str(rejected_id)


def test_all_that_wait_are_tried_and_those_refused_again_stay(profile_api, profile_tx):
    good, bad = set_aside(profile_tx, GOOD), set_aside(profile_tx, BAD)
    done = profile_api.post("/v1/rejected-events/replay", json={"all": True}).get_json()
    assert done["replayed"] == 1
    assert [one["rejected_id"] for one in done["refused"]] == [bad]
    assert done["waiting"] == 1
    again = profile_api.post("/v1/rejected-events/replay", json={"rejected_ids": [good]}).get_json()
    assert again["replayed"] == 0
    assert again["refused"][0]["code"] == "already_replayed"


def test_a_replay_names_its_events_or_says_all(profile_api):
    assert profile_api.post("/v1/rejected-events/replay", json={}).status_code == 422
