"""Opens and clicks of machines."""

from datetime import UTC, datetime, timedelta

import pytest

from services.campaign.domain.bots import flag
from services.campaign.domain.outcomes import events_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest.mark.parametrize(
    ("method", "agent", "at", "expected"),
    [
        ("GET", IPHONE, LATER, None),
        ("GET", "Mozilla/5.0 (via ggpht.com GoogleImageProxy)", LATER, None),
        ("HEAD", IPHONE, LATER, "head_request"),
        ("GET", IPHONE, NOW + timedelta(seconds=1), "within_two_seconds"),
        ("GET", "", LATER, "no_user_agent"),
        ("GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", LATER, "crawler"),
        ("GET", "python-requests/2.31", LATER, "program"),
        ("GET", "curl/8.1", LATER, "program"),
    ],
)
def test_machines_are_told_from_people(method, agent, at, expected):
    assert flag(method, agent, NOW, at) == expected


def test_an_outcome_becomes_an_event_of_the_specification_that_takes_effect_once():
    outcome = {
        "send_id": "s", "subject": "…, tea", "campaign_id": "c", "campaign_name": "Spring", "kind": "clicked",
        "link_number": 3, "link_url": "https://t.example", "identity_id": "i", "user_agent": IPHONE,
        "message_id": "s:clicked:1", "occurred_at": NOW,
        "shown": None, "recommendation_id": None, "item_id": None, "place": None, "recommend_slot": None,
    }  # fmt: skip
    (event,) = events_of(outcome)
    assert [event] == events_of(outcome)
    assert (event["type"], event["event"], event["messageId"]) == (
        "track",
        "Email Link Clicked",
        "campaign:s:clicked:1",
    )
    assert event["properties"] == {
        "email_id": "s", "email_subject": "…, tea", "campaign_id": "c", "campaign_name": "Spring",
        "link_id": "3", "link_url": "https://t.example",
    }  # fmt: skip
    assert event["context"]["identityId"] == "i"


def test_the_first_click_on_a_recommended_item_tells_that_all_were_shown_and_which_was_clicked():
    outcome = {
        "send_id": "s", "subject": "…, tea", "campaign_id": "c", "campaign_name": "Spring", "kind": "clicked",
        "link_number": 3, "link_url": "https://t.example/cup", "identity_id": "i", "user_agent": None,
        "message_id": "s:clicked:1", "occurred_at": NOW, "recommend_slot": "email",
        "shown": {"recommendation_id": "r", "items": ["pot", "cup"]},
        "recommendation_id": "r", "item_id": "cup", "place": 1,
    }  # fmt: skip
    _, shown, clicked = events_of(outcome)
    assert (shown["event"], shown["messageId"]) == ("Recommendation Shown", "campaign:s:shown")
    told = {"recommendation_id": "r", "slot": "email", "campaign_id": "c"}
    assert shown["properties"] == {**told, "items": ["pot", "cup"]}
    assert (clicked["event"], clicked["messageId"]) == ("Recommendation Clicked", "campaign:s:clicked:1:item")
    assert clicked["properties"] == {**told, "item_id": "cup", "position": 1}
    assert clicked["context"]["identityId"] == "i"
