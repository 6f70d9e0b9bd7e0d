"""Whom a message belongs to: merges, splits, shared and changed addresses, business time, purchases, the report."""

from uuid import uuid4

import pytest

from services.campaign.actions import launching, reading
from services.campaign.store import audience, caps, ledger
from shared.database import transaction


def order(user, number, day, revenue, event="Order Completed", **more):
    return {
        "type": "track",
        "event": event,
        "userId": user,
        "messageId": f"{event}-{number}-{day}",
        "timestamp": f"2025-03-{day:02d}T10:00:00Z",
        "properties": {"order_id": number, "revenue": revenue, "currency": "CNY", **more},
    }


def merge(house, one, other):
    """What a server says when two customers turn out to be one."""
    house.events(
        {
            "type": "alias",
            "userId": one,
            "previousId": other,
            "messageId": f"{one}={other}",
            "timestamp": "2025-03-20T00:00:00Z",
        }
    )
    reading.read_events()


def test_two_recipients_who_share_an_address_get_one_mail(house):
    house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    with transaction() as tx:
        run = tx.one("SELECT * FROM run")
        tx.execute("DELETE FROM send")
        audience.begin(tx)
        rows = [(7, uuid4(), customer, "sealed", "index", True, True) for customer in sorted(uuid4() for _ in range(3))]
        audience.add(tx, rows)
        audience.freeze(tx, run, 0, range(8))
        found = tx.all("SELECT customer_id, state FROM send ORDER BY customer_id")
    assert [row["state"] for row in found] == ["pending", "duplicate_address", "duplicate_address"]


def test_a_large_audience_is_decided_in_parts_that_leave_nobody_out(house, monkeypatch):
    monkeypatch.setattr(launching, "_ENTRIES_A_STATEMENT", 2)
    house.people(*(f"customer{n}" for n in range(20)))
    house.people("silent", email="")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    rows = house.get(f"/v1/campaigns/{campaign}/recipients?limit=500")["items"]
    assert sorted(row["state"] for row in rows) == ["no_address"] + ["pending"] * 20


def test_a_customer_who_moved_is_written_to_at_the_new_address(house):
    house.people("mei", "li")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.events(
        {"type": "identify", "userId": "mei", "messageId": "moved", "timestamp": "2026-01-01T00:00:00Z",
         "traits": {"email": "mei@new.example"}}
    )  # fmt: skip
    house.send()
    assert set(house.mailbox.recipients()) == {"mei@new.example", "li@tea.example"}


def split(house, customer_id):
    """What a person does who finds that two customers were merged wrongly."""
    links = house.call("profile", "GET", f"/v1/merges?customer_id={customer_id}").json["items"]
    (link,) = (one for one in links if {end["kind"] for end in one["identities"]} == {"user_id"})
    reply = house.call("profile", "POST", f"/v1/merges/{link['merge_id']}/undo")
    assert reply.status_code == 200, reply.text
    reading.read_events()


def test_customers_who_merge_before_the_send_get_one_mail(house):
    house.people("mei", "mei2", "li")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    merge(house, "mei", "mei2")
    assert house.states(campaign) == {"merged": 1, "pending": 2}
    house.send()
    assert house.states(campaign) == {"merged": 1, "sent": 2}
    assert len(house.mailbox.mails) == 2


def test_customers_who_are_split_again_before_the_send_each_get_their_own_mail(house):
    people = house.people("mei", "mei2", "li")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    merge(house, "mei", "mei2")
    split(house, min(people["mei"], people["mei2"]))
    assert house.states(campaign) == {"pending": 3}
    house.send()
    assert house.states(campaign) == {"sent": 3}
    assert set(house.mailbox.recipients()) == {"mei@tea.example", "mei2@tea.example", "li@tea.example"}


def test_purchases_follow_their_customer_through_a_merge(house):
    people = house.people("mei", "mei2")
    house.events(order("mei", "A", 1, 10), order("mei2", "B", 1, 20))
    reading.read_events()
    merge(house, "mei", "mei2")
    owners = {row["customer_id"] for row in house.sql("SELECT customer_id FROM purchase")}
    assert owners == {min(people.values())}


def test_an_order_is_counted_once_however_often_it_is_told(house):
    house.people("mei")
    house.events(
        order("mei", "A", 1, 100),
        order("mei", "A", 2, 80, "Order Updated"),
        order("mei", "B", 3, 50),
        order("mei", "B", 4, 20, "Order Refunded", total=20),
        order("mei", "C", 5, 30),
        order("mei", "C", 6, 0, "Order Cancelled"),
        order("mei", "D", 7, 10, currency="USD"),
    )
    reading.read_events()
    assert reading.read_events() == 0
    found = {row["order_id"]: row["revenue_minor"] for row in house.sql("SELECT order_id, revenue_minor FROM purchase")}
    assert found == {"o:A": 8000, "o:B": 5000, "o:C": 3000, "o:D": 1000}
    house.shop(business_clock="2025-02-28T12:00:00+00:00")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    report = house.get(f"/v1/campaigns/{campaign}/report")
    assert report["arms"]["treated"] == {
        "people": 1,
        "buyers": 1,
        "orders": 2,
        "revenue_minor": 8000 + 3000,
        "order_rate": 1.0,
        "revenue_per_person_minor": 11000.0,
    }
    assert report["other_currencies"] == [{"currency": "USD", "orders": 1, "revenue_minor": 1000}]
    assert report["replay"] is True
    assert "replay" in {note["code"] for note in report["lift"]["notes"]}
    assert sum(day["treated"]["revenue_minor"] for day in report["daily"]) == 11000
    assert report["window"]["start"] == "2025-02-28T12:00:00+00:00"
    short = house.get(f"/v1/campaigns/{campaign}/report?window_days=2")
    assert short["arms"]["treated"]["orders"] == 1


def test_outcomes_are_stamped_with_the_shops_business_time(house):
    house.people("mei")
    house.shop(business_clock="2025-02-28T12:00:00+00:00")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    (row,) = house.sql("SELECT occurred_at FROM outcome")
    assert row["occurred_at"].isoformat() == "2025-02-28T12:00:00+00:00"


def test_the_report_compares_everybody_assigned_with_everybody_held_out(house):
    names = [f"customer{n}" for n in range(300)]
    house.people(*names)
    house.shop(business_clock="2025-02-28T12:00:00+00:00")
    campaign = house.campaign(house.segment(), house.template(), holdout_share=0.3, assignment_salt="spring")
    house.start(campaign)
    house.send()
    arms = {str(row["customer_id"]): row["arm"] for row in house.sql("SELECT customer_id, arm FROM send")}
    people = house.customers(names)
    house.events(
        *(order(name, f"o-{name}", 3, 120 if arms[people[name]] == "treated" else 100) for name in names[:200]),
        *(order("stranger", f"s{n}", 3, 1000) for n in range(5)),
    )
    reading.read_events()
    report = house.get(f"/v1/campaigns/{campaign}/report")
    treated, holdout = report["arms"]["treated"], report["arms"]["holdout"]
    assert treated["people"] + holdout["people"] == 300
    assert treated["buyers"] + holdout["buyers"] == 200
    assert treated["revenue_minor"] == treated["orders"] * 12_000
    assert report["lift"]["sample_ratio"]["passed"]
    estimate = report["lift"]["revenue_per_person_minor"]
    expected = treated["revenue_per_person_minor"] - holdout["revenue_per_person_minor"]
    assert estimate["estimate"] == pytest.approx(expected)
    assert estimate["low"] < expected < estimate["high"]
    assert report["lift"]["incremental_revenue_minor"]["estimate"] == pytest.approx(expected * treated["people"], abs=1)


def test_a_report_of_what_has_not_begun_says_so(house):
    campaign = house.campaign(house.segment(), house.template())
    reply = house.call("campaign", "GET", f"/v1/campaigns/{campaign}/report")
    assert (reply.status_code, reply.json["code"]) == (409, "not_begun")


def test_a_customers_messages_say_what_came_of_them(house):
    people = house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    (found,) = house.get(f"/v1/messages?customer_id={people['mei']}")["items"]
    assert (found["campaign_id"], found["state"], found["outcomes"]) == (campaign, "sent", ["delivered"])
    assert found["subject"] == "Spring tea for …", "what is personal is left out"


def test_a_slot_of_a_cap_is_given_back_when_the_message_certainly_did_not_arrive(house):
    house.people("mei")
    house.policy(cap_messages=1)
    house.mailbox.refuse_message = {"mei@tea.example": "554 5.7.1 not today"}
    segment, template = house.segment(), house.template()
    first, second = house.campaign(segment, template), house.campaign(segment, template)
    house.start(first)
    house.send()
    assert house.states(first) == {"failed": 1}
    house.mailbox.refuse_message = {}
    house.start(second)
    house.send()
    assert house.states(second) == {"sent": 1}
    third = house.campaign(segment, template)
    house.start(third)
    house.send()
    assert house.states(third) == {"capped": 1}


def test_a_retried_row_keeps_the_slot_it_has(house):
    house.people("mei")
    house.start(house.campaign(house.segment(), house.template()))
    with transaction() as tx:
        row = tx.one("SELECT send_id, identity_id, customer_id FROM send")
        now = tx.value("SELECT now()")
        first = caps.take(tx, [row], "promotional", now, messages=1, days=7)
        assert first == caps.take(tx, [row], "promotional", now, messages=1, days=7) == {row["send_id"]}


def test_late_answers_hold_unless_the_row_was_handed_over_again(house):
    house.people("mei")
    house.start(house.campaign(house.segment(), house.template()))
    with transaction() as tx:
        (row,) = tx.all("SELECT send_id, run_id FROM send")
        lease, window = uuid4(), uuid4()
        ledger.claim(tx, row["run_id"], lease, 10)
        assert ledger.begin_hand_over(tx, lease, window, [row["send_id"]], [[]], [None]) == {row["send_id"]}
        tx.execute("UPDATE send SET lease_until = now() - interval '1 second'")
        assert len(ledger.resolve_interrupted(tx)) == 1
        assert tx.value("SELECT state FROM send") == "uncertain"
        late = ledger.Settlement(row["send_id"], "sent", "accepted", tried=True)
        assert ledger.settle_window(tx, uuid4(), [late]) == []
        assert len(ledger.settle_window(tx, window, [late])) == 1
        assert tx.value("SELECT state FROM send") == "sent"
