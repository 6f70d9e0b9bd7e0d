"""Consent: recorded with its proof, in force by time, over all of a customer's identities."""

import pytest

from tests.integration.profile.conftest import identify, track


@pytest.fixture
def mei(tea_house):
    """Mei's customer id, and the shop."""
    tea_house.send(identify("mei", {"email": "mei@example.com"}))
    return tea_house.user("mei")


def put(tea_house, customer_id, channel="email", **change):
    return tea_house.api.as_key("server").put(f"/v1/customers/{customer_id}/consents/marketing/{channel}", json=change)


def in_force(tea_house, customer_id):
    rows = tea_house.tx.all(
        "SELECT purpose, channel, granted FROM profile_out.consents_v1 WHERE customer_id = %(id)s ORDER BY 1, 2",
        {"id": customer_id},
    )
    return {(row["purpose"], row["channel"]): row["granted"] for row in rows}


def test_a_decision_is_kept_with_its_proof(tea_house, mei):
    change = {
        "granted": True,
        "decided_at": "2026-01-01T08:00:00+08:00",
        "source": "checkout",
        "text_version": "2025-11",
    }
    reply = put(tea_house, mei, **change)
    assert reply.status_code == 200
    assert reply.json == {
        "purpose": "marketing",
        "channel": "email",
        "granted": True,
        "decided_at": "2026-01-01T00:00:00+00:00",
        "source": "checkout",
        "text_version": "2025-11",
    }
    assert in_force(tea_house, mei) == {("marketing", "email"): True}
    assert tea_house.api.get(f"/v1/customers/{mei}").json["consents"] == [reply.json]


def test_a_later_decision_stays_in_force_when_an_earlier_one_comes_in(tea_house, mei):
    put(tea_house, mei, granted=False, decided_at="2026-02-01T00:00:00Z")
    reply = put(tea_house, mei, granted=True, decided_at="2026-01-01T00:00:00Z")
    assert reply.json["granted"] is False
    assert in_force(tea_house, mei) == {("marketing", "email"): False}


def test_at_the_same_instant_the_withdrawal_wins(tea_house, mei):
    for granted in (False, True):
        put(tea_house, mei, granted=granted, decided_at="2026-02-01T00:00:00Z")
    assert in_force(tea_house, mei) == {("marketing", "email"): False}


def test_every_decision_is_remembered(tea_house, mei):
    for day, granted in ((1, True), (2, False), (3, True)):
        put(tea_house, mei, granted=granted, decided_at=f"2026-01-0{day}T00:00:00Z")
    consents = tea_house.api.get(f"/v1/customers/{mei}/consents").json
    assert [decision["granted"] for decision in consents["history"]] == [True, False, True]
    assert [decision["decided_at"][:10] for decision in consents["items"]] == ["2026-01-03"]


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("marketing/fax", {"granted": True}, 422),
        ("Marketing!/email", {"granted": True}, 422),
        ("marketing/email", {}, 422),
        ("marketing/email", {"granted": "perhaps"}, 422),
        ("marketing/email", {"granted": True, "decided_at": "2026-01-01T00:00:00"}, 422),
        ("marketing/email", {"granted": True, "decided_at": "2999-01-01T00:00:00Z"}, 422),
        ("marketing/email", {"granted": True, "why": "x"}, 422),
    ],
)
def test_what_is_no_decision_is_refused(tea_house, mei, path, change, status):
    reply = tea_house.api.put(f"/v1/customers/{mei}/consents/{path}", json=change)
    assert reply.status_code == status
    assert in_force(tea_house, mei) == {}


@pytest.mark.parametrize("event", ["Unsubscribed", "Email Marked as Spam"])
def test_a_mail_event_of_a_server_withdraws_consent(tea_house, mei, event):
    put(tea_house, mei, granted=True, decided_at="2026-01-01T00:00:00Z")
    tea_house.send(track(event, context={"traits": {"email": "mei@example.com"}}))
    assert in_force(tea_house, mei) == {("marketing", "email"): False}
    assert tea_house.api.get(f"/v1/customers/{mei}/consents").json["items"][0]["source"] == event


def test_a_public_key_can_unsubscribe_nobody(tea_house, mei):
    put(tea_house, mei, granted=True, decided_at="2026-01-01T00:00:00Z")
    tea_house.send(track("Unsubscribed", "mei"), key="collect")
    assert in_force(tea_house, mei) == {("marketing", "email"): True}


def test_decisions_of_many_are_recorded_by_identifier(tea_house, mei):
    change = {"purpose": "marketing", "channel": "email", "granted": True}
    reply = tea_house.api.as_key("server").post(
        "/v1/consents",
        json={"consents": [{**change, "identifier": "user_id:mei"}, {**change, "identifier": "email:new@example.com"}]},
    )
    assert reply.json == {"recorded": 2}
    assert in_force(tea_house, mei) == {("marketing", "email"): True}


def test_a_decision_waits_for_somebody_we_have_not_heard_of_yet(tea_house):
    change = {"purpose": "marketing", "channel": "sms", "granted": True, "identifier": "phone:13800138000"}
    tea_house.api.post("/v1/consents", json={"consents": [change, change]})
    tea_house.send(identify("li", {"phone": "+86 138 0013 8000"}))
    assert in_force(tea_house, tea_house.user("li")) == {("marketing", "sms"): True}
    assert tea_house.log("type")[-1]["type"] in ("identify", "merge")


def test_one_wrong_identifier_records_nothing_and_is_named(tea_house, mei):
    change = {"purpose": "marketing", "channel": "email", "granted": True}
    reply = tea_house.api.post(
        "/v1/consents",
        json={"consents": [{**change, "identifier": "user_id:mei"}, {**change, "identifier": "email:nonsense"}]},
    )
    assert reply.status_code == 422
    assert reply.json["errors"] == [{"path": "consents.1", "message": "this is no email"}]
    assert in_force(tea_house, mei) == {}


def test_no_more_than_five_thousand_at_once(tea_house):
    change = {"purpose": "marketing", "channel": "email", "granted": True, "identifier": "user_id:mei"}
    assert tea_house.api.post("/v1/consents", json={"consents": [change] * 5001}).status_code == 422
