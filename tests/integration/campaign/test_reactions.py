"""Links in messages: clicks, opens, leaving; and the way of outcomes into profile's log."""

import json
import re
from urllib.parse import urlsplit

import pytest
import time_machine

from services.campaign.actions import publishing, reading
from shared import contracts, queue
from tests.integration.campaign import sender

IPHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"}


@pytest.fixture
def sent(house):
    """A mail to Mei that arrived a minute ago: its campaign and its addresses by kind."""
    house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.send()
    house.sql("UPDATE send SET handed_over_at = now() - interval '1 minute'")
    mail = house.mailbox.parsed()["mei@tea.example"]
    found = re.findall(r"https://mail\.tea\.example(/e/([cou])/[^\"\s>]+)", mail.get_body(("html",)).get_content())
    links = {kind: path for path, kind in found}
    links["header"] = urlsplit(mail["List-Unsubscribe"].strip("<>")).path
    return campaign, links


def engagement(house, campaign):
    return house.get(f"/v1/campaigns/{campaign}/report")["engagement"]


def browse(house, path, method="GET", **options):
    options.setdefault("headers", IPHONE)
    return house.call("campaign", method, path, key="", **options)


def test_a_click_goes_on_to_where_the_message_pointed_and_counts_once_per_person(house, sent):
    campaign, links = sent
    for _ in range(2):
        reply = browse(house, links["c"])
        assert reply.status_code == 302
        assert reply.headers["Location"] == "https://tea.example/spring?x=1&y=2"
    assert engagement(house, campaign)["clicked"] == 1
    (link,) = house.get(f"/v1/campaigns/{campaign}/report")["links"]
    assert (link["link_url"], link["people"], link["clicks"]) == ("https://tea.example/spring?x=1&y=2", 1, 2)


def test_an_open_is_a_picture_and_counts(house, sent):
    campaign, links = sent
    reply = browse(house, links["o"])
    assert (reply.status_code, reply.content_type) == (200, "image/gif")
    assert "no-store" in reply.headers["Cache-Control"]
    assert engagement(house, campaign)["opened"] == 1


def test_machines_are_kept_but_not_counted(house, sent):
    campaign, links = sent
    browse(house, links["c"], "HEAD")
    browse(house, links["o"], headers={"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
    house.sql("UPDATE send SET handed_over_at = now()")
    browse(house, links["c"])
    found = engagement(house, campaign)
    assert (found["opened"], found["clicked"], found["bots"]) == (0, 0, {"opened": 1, "clicked": 1})
    flags = {row["bot"] for row in house.sql("SELECT bot FROM outcome WHERE kind <> 'delivered'")}
    assert flags == {"head_request", "crawler", "within_two_seconds"}


def test_looking_at_the_unsubscribe_page_unsubscribes_nobody(house, sent):
    _, links = sent
    reply = browse(house, links["u"])
    assert reply.status_code == 200
    assert '<form method="post">' in reply.text
    assert "m…@tea.example" in reply.text
    assert house.get("/v1/suppressions")["items"] == []


def test_one_click_of_a_mail_program_unsubscribes_at_once(house, sent):
    campaign, links = sent
    for _ in range(2):
        form = {"List-Unsubscribe": "One-Click"}
        assert browse(house, links["header"], "POST", data=form, headers={}).status_code == 200
    (found,) = house.get("/v1/suppressions")["items"]
    assert (found["email"], found["scope"], found["reason"]) == ("mei@tea.example", "promotional", "unsubscribed")
    assert engagement(house, campaign)["unsubscribed"] == 1
    assert "unsubscribed" in browse(house, links["u"]).text
    again = house.campaign(house.segment(name="Again"), house.template(name="Summer"))
    house.start(again)
    assert house.states(again) == {"suppressed": 1}


def test_the_page_speaks_the_readers_language(house, sent):
    _, links = sent
    assert "Unsubscribe?" in browse(house, links["u"], headers={**IPHONE, "Accept-Language": "en-GB"}).text
    chinese = browse(house, links["u"], headers={**IPHONE, "Accept-Language": "zh-CN,zh;q=0.9"}).text
    assert "确认退订" in chinese
    assert 'lang="zh' in chinese


@pytest.mark.parametrize("kind", ["c", "o", "u"])
def test_a_forged_link_is_refused_and_changes_nothing(house, sent, kind):
    _, links = sent
    head, _, token = links[kind].rpartition("/")
    forged = f"{head}/{token[:30]}{'A' if token[30] != 'A' else 'B'}{token[31:]}"
    for method in ("GET", "POST") if kind == "u" else ("GET",):
        reply = browse(house, forged, method)
        assert reply.status_code == 404
        if kind != "o":
            assert reply.json["code"] == "link_invalid"
    page = browse(house, forged, headers={**IPHONE, "Accept": "text/html"})
    assert kind == "o" or "This link does not work" in page.text
    assert len(house.sql("SELECT kind FROM outcome")) == 1, "the delivery, nothing more"


def test_a_links_token_opens_no_other_kind_of_link(house, sent):
    _, links = sent
    token = links["o"].removeprefix("/e/o/").removesuffix(".gif")
    assert browse(house, f"/e/u/{token}", "POST").status_code == 404
    assert browse(house, f"/e/v/{token}").status_code == 404


def test_an_old_link_expires_but_leaving_never_does(house, sent):
    _, links = sent
    with time_machine.travel("2031-01-01", tick=True):
        assert browse(house, links["c"]).status_code == 404
        assert browse(house, links["u"]).status_code == 200


def test_a_message_can_be_read_in_the_browser_where_it_can_do_no_harm(house):
    house.people("mei")
    html = '<p>Hi {{ customer.name }}</p><a href="{{ view_url }}">In the browser</a>'
    campaign = house.campaign(house.segment(), house.template(html=html))
    house.start(campaign)
    house.send()
    mail = house.mailbox.parsed()["mei@tea.example"].get_body(("html",)).get_content()
    path = re.search(r"https://mail\.tea\.example(/e/v/[^\"]+)", mail).group(1)
    reply = browse(house, path)
    assert "Hi Mei" in reply.text
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert "/e/o/" not in reply.text


def test_outcomes_become_events_of_the_customer_once(house, sent):
    campaign, links = sent
    browse(house, links["c"])
    browse(house, links["u"], "POST")
    with sender.serving(house.act("profile")):
        house.act("campaign")
        assert publishing.publish() == 3
        house.sql("UPDATE outcome SET published_at = NULL")
        assert publishing.publish() == 3, "told again, as after a crash"
    house.drain()
    events = house.sql(
        """
        SELECT e.event, e.customer_id, e.payload FROM profile_out.events_v1 e
        WHERE e.event LIKE 'Email%%' OR e.event = 'Unsubscribed' ORDER BY e.event
        """
    )
    assert [e["event"] for e in events] == ["Email Delivered", "Email Link Clicked", "Unsubscribed"]
    (mei,) = {e["customer_id"] for e in events}
    assert mei == house.sql("SELECT customer_id FROM send")[0]["customer_id"]
    clicked = events[1]["payload"]["properties"]
    assert clicked["campaign_id"] == campaign
    assert clicked["link_url"] == "https://tea.example/spring?x=1&y=2"
    granted = house.sql("SELECT granted FROM profile_out.consents_v1 WHERE customer_id = %(mei)s", mei=mei)
    assert granted == [{"granted": False}], "profile withdrew the consent"


def test_a_profile_that_is_slow_keeps_no_worker_what_is_left_is_announced_again(house, sent, monkeypatch):
    _, links = sent
    browse(house, links["c"])
    browse(house, links["u"], "POST")
    monkeypatch.setattr(publishing, "BATCH", 1)
    with sender.serving(house.act("profile")):
        house.act("campaign")
        queue.valkey().flushdb()
        assert publishing.publish(seconds=0) == 1
        (message,) = queue.valkey().lrange(contracts.CAMPAIGN, 0, -1)
        assert json.loads(message)["headers"]["task"] == "campaign.publish_outcomes"
        assert publishing.publish() == 2


def test_outcomes_wait_while_profile_is_away(house, sent):
    house.act("campaign")
    assert publishing.publish() == 0
    assert house.sql("SELECT count(*) AS n FROM outcome WHERE published_at IS NULL") == [{"n": 1}]


def test_an_open_proves_that_an_uncertain_message_arrived(house, sent):
    campaign, links = sent
    house.sql("UPDATE send SET state = 'uncertain'")
    browse(house, links["o"])
    assert house.states(campaign) == {"sent": 1}


def test_a_bounce_that_another_sender_reports_suppresses_the_address(house):
    house.people("mei", "li")
    house.events(
        {
            "type": "track",
            "event": "Email Bounced",
            "userId": "mei",
            "messageId": "b1",
            "timestamp": "2025-02-01T00:00:00Z",
        }
    )
    reading.read_events()
    assert [found["email"] for found in house.get("/v1/suppressions")["items"]] == ["mei@tea.example"]
