"""Templates, campaigns, policy and suppressions as the API gives them."""

from uuid import uuid4

import pytest

from services.campaign.domain.assignment import held_out


def problem(reply, status):
    assert reply.status_code == status, reply.text
    assert reply.content_type == "application/problem+json"
    return reply.json


@pytest.mark.parametrize(
    ("html", "path"),
    [
        ("<p>\n{% for i in (1..1000000000) %}x{% endfor %}</p>", "html:2"),
        ("<p>{{ customer.name | shout }}</p>", "html:1"),
        ("<p {{ customer.name }}>x</p>", "html:1"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_with_its_line(house, html, path):
    body = {"name": "Bad", "subject": "x", "html": html}
    found = problem(house.call("campaign", "POST", "/v1/templates", json=body), 422)
    assert found["code"] == "template_invalid"
    assert found["errors"][0]["path"] == path
    assert problem(house.call("campaign", "POST", "/v1/templates/preview", json=body), 422)["errors"]
    assert house.get("/v1/templates")["items"] == []


def test_two_people_editing_one_template_do_not_overwrite_each_other(house):
    template = house.template()
    read = house.call("campaign", "GET", f"/v1/templates/{template}")
    body = {"name": "Spring", "subject": "New", "html": "<p>New</p>"}
    path, headers = f"/v1/templates/{template}", {"If-Match": read.headers["ETag"]}
    first = house.call("campaign", "PUT", path, json=body, headers=headers)
    assert (first.status_code, first.json["version"]) == (200, 2)
    assert problem(house.call("campaign", "PUT", path, json=body, headers=headers), 412)["code"] == "changed_meanwhile"


def test_a_template_in_use_cannot_be_taken_away(house):
    template = house.template()
    house.campaign(house.segment(), template)
    assert problem(house.call("campaign", "DELETE", f"/v1/templates/{template}"), 409)["code"] == "in_use"


def test_a_preview_shows_what_a_real_customer_would_get(house):
    people = house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    found = house.post(f"/v1/campaigns/{campaign}/preview", json={"customer_id": str(people["mei"])})
    assert found["subject"] == "Spring tea for Mei"
    assert 'href="https://tea.example/spring?x=1&amp;y=2"' in found["html"]
    body = {"subject": "For {{ customer.city }}", "html": "<p>{{ items[0].name }}</p>", "recommend_n": 0}
    assert house.post("/v1/templates/preview", json=body)["subject"] == "For Hangzhou"
    stranger = house.call("campaign", "POST", f"/v1/campaigns/{campaign}/preview", json={"customer_id": str(uuid4())})
    problem(stranger, 404)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"template_id": str(uuid4())}, "template_id"),
        ({"segment_id": str(uuid4())}, "segment_id"),
        ({"holdout_share": 0.6}, "holdout_share"),
        ({"send_at": "2026-03-01T09:00:00"}, "send_at"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_campaign_that_cannot_be_names_the_field(house, change, path):
    body = {"name": "Spring", "segment_id": house.segment(), "template_id": house.template(), **change}
    found = problem(house.call("campaign", "POST", "/v1/campaigns", json=body), 422)
    assert path in found["errors"][0]["path"]


def test_a_campaign_waits_for_its_local_time(house):
    house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    when = {"send_at_local": "2099-03-01T09:00:00", "send_at_zone": "Asia/Shanghai"}
    found = house.post(f"/v1/campaigns/{campaign}/schedule", json=when)
    assert (found["status"], found["due_at"]) == ("scheduled", "2099-03-01T01:00:00+00:00")
    house.start_due()
    assert house.get(f"/v1/campaigns/{campaign}")["status"] == "scheduled"
    assert house.post(f"/v1/campaigns/{campaign}/pause")["status"] == "paused"
    assert house.post(f"/v1/campaigns/{campaign}/resume")["due_at"] == "2099-03-01T01:00:00+00:00"


def test_what_has_begun_is_not_edited_deleted_or_begun_again(house):
    house.people("mei")
    segment, template = house.segment(), house.template()
    campaign = house.campaign(segment, template)
    house.start(campaign)
    house.send()
    body = {"name": "Spring", "segment_id": segment, "template_id": template}
    path = f"/v1/campaigns/{campaign}"
    assert problem(house.call("campaign", "PUT", path, json=body), 409)["code"] == "wrong_state"
    assert problem(house.call("campaign", "DELETE", path), 409)["code"] == "wrong_state"
    for step in ("schedule", "pause", "resume", "cancel"):
        options = {"json": {}} if step == "schedule" else {}
        assert problem(house.call("campaign", "POST", f"{path}/{step}", **options), 409)["code"] == "wrong_state"


def test_nothing_is_scheduled_before_the_shop_has_a_sender(house):
    house.shop(sender_email="")
    campaign = house.campaign(house.segment(), house.template())
    reply = house.call("campaign", "POST", f"/v1/campaigns/{campaign}/schedule", json={})
    assert problem(reply, 409)["code"] == "no_sender"


def test_the_ledger_holds_out_whom_the_rule_holds_out(house):
    people = house.people(*(f"customer{n}" for n in range(200)))
    campaign = house.campaign(house.segment(), house.template(), holdout_share=0.3, assignment_salt="spring")
    house.start(campaign)
    house.send()
    rows = house.get(f"/v1/campaigns/{campaign}/recipients?limit=500")["items"]
    held = {row["customer_id"] for row in rows if row["arm"] == "holdout"}
    assert held == {str(customer) for customer in people.values() if held_out("spring", customer, 0.3)}
    assert {row["state"] for row in rows if row["customer_id"] in held} == {"holdout"}
    assert len(house.mailbox.mails) == 200 - len(held)


def test_everybody_in_the_segment_ends_in_a_state_with_a_reason(house):
    house.people("mei")
    house.people("li", consent=False)
    house.people("wang", email="")
    house.people("zhao", email="not an address")
    house.people("gone")
    house.call("campaign", "POST", "/v1/suppressions", json={"email": "Gone@tea.example"})
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    rows = house.get(f"/v1/campaigns/{campaign}/recipients")["items"]
    told = sorted((row["state"], row["reason"]) for row in rows)
    assert told == [
        ("no_address", "address_missing"),
        ("no_address", "address_missing"),
        ("no_consent", "marketing_email_not_granted"),
        ("sent", "accepted"),
        ("suppressed", "by_hand"),
    ]


def test_recipients_come_in_pages_and_by_state(house):
    house.people(*(f"customer{n}" for n in range(5)))
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    path = f"/v1/campaigns/{campaign}/recipients"
    seen, cursor = [], ""
    while cursor is not None:
        page = house.get(f"{path}?limit=2&state=pending{cursor and f'&cursor={cursor}'}")
        seen += [row["send_id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    problem(house.call("campaign", "GET", f"{path}?cursor=WzFd"), 400)
    problem(house.call("campaign", "GET", f"{path}?state=nowhere"), 422)


def test_an_empty_allow_list_lets_nothing_out(house):
    house.people("mei", "li")
    house.shop(allow_list=[])
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    assert house.states(campaign) == {"not_allowed": 2}
    assert house.mailbox.mails == []


def test_at_night_promotional_messages_wait_and_others_do_not(house):
    house.people("mei")
    house.policy(quiet_start="00:00", quiet_end="23:59")
    segment, template = house.segment(), house.template()
    waiting, urgent = house.campaign(segment, template), house.campaign(segment, template, purpose="transactional")
    for campaign in (waiting, urgent):
        house.start(campaign)
    house.send()
    assert house.states(urgent) == {"sent": 1}
    assert house.states(waiting) == {"pending": 1}
    (row,) = house.get(f"/v1/campaigns/{waiting}/recipients")["items"]
    assert row["reason"] == "quiet_hours"


def test_what_waited_too_long_expires(house):
    house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.sql("UPDATE run SET expires_at = now()")
    house.send()
    assert house.states(campaign) == {"expired": 1}
    assert house.get(f"/v1/campaigns/{campaign}")["status"] == "sent"


def test_a_test_mail_obeys_the_allow_list_and_is_in_no_report(house):
    house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    path = f"/v1/campaigns/{campaign}/test"
    house.shop(allow_list=["author@tea.example"])
    assert house.post(path, json={"email": "author@tea.example"})["state"] == "sent"
    assert house.mailbox.parsed()["author@tea.example"]["subject"].startswith("[Test]")
    refused = house.call("campaign", "POST", path, json={"email": "mei@tea.example"})
    assert problem(refused, 403)["code"] == "not_on_allow_list"
    problem(house.call("campaign", "POST", path, json={"email": "no address"}), 422)
    house.shop(sending_enabled=False)
    refused = house.call("campaign", "POST", path, json={"email": "author@tea.example"})
    assert problem(refused, 409)["code"] == "sending_off"
    assert house.sql("SELECT count(*) AS n FROM send") == [{"n": 0}]


def test_a_suppressed_address_can_be_written_to_again(house):
    house.call("campaign", "POST", "/v1/suppressions", json={"email": "mei@tea.example", "scope": "all"})
    (found,) = house.get("/v1/suppressions")["items"]
    assert (found["email"], found["scope"], found["reason"]) == ("mei@tea.example", "all", "by_hand")
    assert "mei" not in str(house.sql("SELECT * FROM suppression")), "an address is sealed where it is stored"
    house.call("campaign", "POST", "/v1/suppressions/lift", json={"email": "MEI@tea.example"})
    assert house.get("/v1/suppressions")["items"] == []
    problem(house.call("campaign", "POST", "/v1/suppressions/lift", json={"email": "mei@tea.example"}), 404)


@pytest.mark.parametrize("kind", ["collect", "storefront"])
def test_a_browsers_key_reaches_none_of_it(house, kind):
    key = house.key(kind)
    for method, path in (("GET", "/v1/campaigns"), ("POST", "/v1/templates"), ("GET", "/v1/suppressions")):
        problem(house.call("campaign", method, path, key=key, json={}), 403)


def test_addresses_and_names_are_nowhere_in_the_clear(house):
    house.people("meihua")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    for table in ("send", "run", "outcome", "campaign"):
        assert "meihua" not in str(house.sql(f"SELECT * FROM {table}")).lower()
