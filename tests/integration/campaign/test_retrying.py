"""Messages that failed go again when a person asks for it, and only those that may."""

import pytest

from services.campaign.actions import messages as actions
from shared.database import transaction

ALL = {"remaining": 0, "next_cursor": None}  # nothing was left over


@pytest.fixture
def failed(house):
    """A campaign to three: one went out, one was refused for its content, one has no mailbox."""
    house.people("mei", "an", "bo")
    mailbox = house.mailbox
    mailbox.refuse_message["an@tea.example"] = "554 5.7.1 we do not like it"
    mailbox.refuse_recipient["bo@tea.example"] = "550 5.1.1 no such user"
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    assert house.states(campaign) == {"sent": 1, "failed": 2}
    assert house.get(f"/v1/campaigns/{campaign}")["status"] == "sent"
    return campaign


def test_only_what_could_arrive_is_offered_and_sent_again(house, failed):
    shown = house.get("/v1/messages/failed")
    assert shown["waiting"] == 1
    assert [one["reason"] for one in shown["items"]] == ["message_refused"]
    house.mailbox.refuse_message.clear()
    assert house.post("/v1/messages/retry", json={"all": True}) == {"retried": 1, **ALL}
    assert house.get(f"/v1/campaigns/{failed}")["status"] == "sending"
    house.send()
    assert house.states(failed) == {"sent": 2, "failed": 1}
    assert house.get(f"/v1/campaigns/{failed}")["status"] == "sent"
    assert max(house.mailbox.recipients().values()) == 1
    assert house.get("/v1/messages/failed") == {"items": [], "waiting": 0}
    assert house.post("/v1/messages/retry", json={"all": True}) == {"retried": 0, **ALL}
    written = house.sql("SELECT action, after FROM audit_log WHERE action = 'message.retry'")
    assert [row["after"] for row in written] == [{"messages": 1}]


def withdraw(house, user_id):
    house.act("profile")
    with transaction() as tx:
        tx.execute(
            """
            INSERT INTO consent
                (consent_id, identity_id, purpose, channel, granted, decided_at, source, evidence, recorded_at)
            SELECT gen_random_uuid(), customer_id, 'marketing', 'email', false, now(), 'test', '', now()
            FROM profile_out.customers_v1 WHERE user_id = %(user_id)s
            """,
            {"user_id": user_id},
        )
    house.act("campaign")


def test_who_has_unsubscribed_meanwhile_gets_nothing_on_the_second_try(house, failed):
    (message,) = house.get("/v1/messages/failed")["items"]
    withdraw(house, "an")
    house.mailbox.refuse_message.clear()
    assert house.post("/v1/messages/retry", json={"send_ids": [message["send_id"]]}) == {"retried": 1, **ALL}
    house.send()
    assert house.states(failed)["sent"] == 1


def refused(house, *names):
    """A campaign whose letters to these people were all refused for their content."""
    house.people(*names)
    house.mailbox.refuse_message = {f"{name}@tea.example": "554 5.7.1 we do not like it" for name in names}
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    assert house.states(campaign) == {"failed": len(names)}
    return campaign


def test_one_request_makes_so_many_due_and_the_next_goes_on(house, monkeypatch):
    campaign = refused(house, "mei", "an", "bo")
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 2)
    first = house.post("/v1/messages/retry", json={"all": True})
    assert (first["retried"], first["remaining"]) == (2, 1)
    house.send()  # refused once more: what fails again does not go round for ever
    rest = house.post("/v1/messages/retry", json={"all": True, "cursor": first["next_cursor"]})
    assert rest == {"retried": 1, **ALL}
    assert house.states(campaign) == {"failed": 2, "pending": 1}


def test_what_was_cancelled_is_neither_offered_nor_sent_again(house):
    campaign = refused(house, "mei")
    house.sql("UPDATE run SET status = 'cancelled' WHERE campaign_id = %(id)s", id=campaign)
    assert house.get("/v1/messages/failed") == {"items": [], "waiting": 0}
    assert house.post("/v1/messages/retry", json={"all": True}) == {"retried": 0, **ALL}
    assert house.states(campaign) == {"failed": 1}
