"""Addresses, holdouts, quiet hours, replies, states: the rules of sending."""

from datetime import UTC, datetime, time, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.domain import addresses, assignment, campaigns, ledger, replies
from services.campaign.domain.campaigns import CampaignError, StateError
from services.campaign.domain.ledger import Circumstances, decide
from services.campaign.domain.quiet_hours import QuietHours, next_allowed, zone

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # noon in Shanghai
NIGHT = QuietHours(time(21), time(8))
NINE = datetime.fromisoformat("2026-03-01T09:00")  # on no clock in particular


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" Mei@Tea.Example ", "mei@tea.example"),
        ("ｍｅｉ＠ｔｅａ．ｅｘａｍｐｌｅ", "mei@tea.example"),
        ("mei@茶.example", "mei@xn--cl1a.example"),
    ],
)
def test_one_mailbox_has_one_spelling(written, meant):
    assert addresses.normalise(written) == meant


@pytest.mark.parametrize(
    "hostile",
    [
        "mei@tea.example\r\nBcc: li@tea.example",
        "mei@tea",
        "@tea.example",
        "mei",
        "",
        "me i@tea.example",
        "<mei>@tea.example",
        "mei@tea.example>",
        "梅@tea.example",
        "m" * 65 + "@tea.example",
        "mei@-tea.example",
        "mei@tea..example",
        "a,b@tea.example",
    ],
)
def test_what_no_mail_server_should_see_is_not_sendable(hostile):
    assert not addresses.sendable(addresses.normalise(hostile))


def test_the_allow_list_names_addresses_and_domains():
    allow = ("li@other.example", "tea.example", "@cake.example")
    assert addresses.allowed("mei@tea.example", allow)
    assert addresses.allowed("li@other.example", allow)
    assert addresses.allowed("wang@cake.example", allow)
    assert not addresses.allowed("mei@other.example", allow)
    assert not addresses.allowed("mei@nottea.example", allow)
    assert addresses.allowed("anybody@at.all.example", None)
    assert not addresses.allowed("anybody@at.all.example", ())


@given(st.text(max_size=20), st.uuids(), st.floats(0, 0.5))
def test_the_same_salt_always_holds_out_the_same_people(salt, customer, share):
    assert assignment.held_out(salt, customer, share) == assignment.held_out(salt, customer, share)
    assert not assignment.held_out(salt, customer, 0)


@given(st.text(max_size=8), st.uuids(), st.floats(0, 0.25), st.floats(0, 0.25))
def test_a_larger_share_holds_out_the_smaller_ones_people_too(salt, customer, share, more):
    if assignment.held_out(salt, customer, share):
        assert assignment.held_out(salt, customer, share + more)


@pytest.mark.parametrize(("salt", "share"), [("spring", 0.1), ("summer", 0.1), ("spring", 0.5), ("x", 0.02)])
def test_about_the_wanted_share_is_held_out(salt, share):
    held = sum(assignment.held_out(salt, UUID(int=n), share) for n in range(20_000))
    spread = (20_000 * share * (1 - share)) ** 0.5
    assert abs(held - 20_000 * share) < 4 * spread


def test_different_salts_hold_out_independent_people():
    both = sum(
        assignment.held_out("spring", UUID(int=n), 0.5) and assignment.held_out("summer", UUID(int=n), 0.5)
        for n in range(10_000)
    )
    assert abs(both - 2500) < 200


@pytest.mark.parametrize("share", [-0.01, 0.51])
def test_nobody_holds_out_more_than_half(share):
    with pytest.raises(ValueError, match="share"):
        assignment.threshold(share)


def test_by_day_a_message_may_go():
    assert next_allowed(NOW, zone("Asia/Shanghai", "UTC"), NIGHT) == NOW


def test_at_night_it_waits_for_the_customers_own_morning():
    assert next_allowed(NOW, zone("America/New_York", "UTC"), NIGHT) == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


def test_a_customer_without_a_zone_lives_where_the_shop_is():
    assert zone(None, "Asia/Shanghai").key == "Asia/Shanghai"
    assert zone("Middle/Earth", "Asia/Shanghai").key == "Asia/Shanghai"
    assert zone("../../etc/passwd", "nowhere").key == "UTC"


@given(
    st.integers(0, 24 * 730).map(lambda hours: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"]),
    st.times(),
    st.times(),
)
def test_what_is_put_off_is_due_later_within_a_day_and_by_then_not_quiet(now, name, start, end):
    quiet = QuietHours(start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0))
    due = next_allowed(now, zone(name, "UTC"), quiet)
    assert now <= due <= now + timedelta(hours=26)
    if due > now and quiet.start != quiet.end and due - now > timedelta(minutes=1):
        local = due.astimezone(zone(name, "UTC"))
        # In the hour a clock is put back or forward the end of the quiet hours occurs twice, or not at all.
        shifted = local.utcoffset() != (due - timedelta(hours=3)).astimezone(local.tzinfo).utcoffset()
        assert shifted or not quiet.contain(local.time())


ELIGIBLE = {
    "purpose": "promotional",
    "known": True,
    "address": "mei@tea.example",
    "consented": True,
    "suppressed": "",
    "time_zone": "Asia/Shanghai",
    "expires_at": NOW + timedelta(hours=1),
}


@pytest.mark.parametrize(
    ("facts", "state", "reason"),
    [
        ({}, "pending", ""),
        ({"known": False}, "erased", "customer_unknown"),
        ({"expires_at": NOW}, "expired", "not_sent_in_time"),
        ({"address": ""}, "no_address", "address_missing"),
        ({"address": "no address"}, "no_address", "address_invalid"),
        ({"suppressed": "bounced"}, "suppressed", "bounced"),
        ({"consented": False}, "no_consent", "marketing_email_not_granted"),
        ({"consented": False, "purpose": "transactional"}, "pending", ""),
        ({"address": "mei@elsewhere.example"}, "not_allowed", "not_on_allow_list"),
        ({"time_zone": "America/New_York"}, "pending", "quiet_hours"),
        ({"time_zone": "America/New_York", "purpose": "transactional"}, "pending", ""),
    ],
)
def test_every_recipient_is_told_why(facts, state, reason):
    verdict = decide(Circumstances(**{**ELIGIBLE, **facts}), NOW, "Asia/Shanghai", NIGHT, ("tea.example",))
    assert (verdict.state, verdict.reason) == (state, reason)


def test_what_was_interrupted_never_goes_twice_if_it_promotes_something():
    assert ledger.after_interruption("promotional").state == "uncertain"
    assert ledger.after_interruption("transactional").state == "pending"


@pytest.mark.parametrize(
    ("stage", "code", "text", "outcome", "bounced"),
    [
        ("body", 250, "2.0.0 Ok: queued", "sent", False),
        ("rcpt", 550, "5.1.1 <mei@tea.example>: user unknown", "failed", True),
        ("rcpt", 550, "No such user here", "failed", True),
        ("rcpt", 552, "5.2.2 mailbox full", "failed", False),
        ("rcpt", 550, "5.7.1 relaying denied", "failed", False),
        ("rcpt", 550, "mailbox unavailable: over quota", "failed", False),
        ("rcpt", 451, "4.7.1 greylisted", "retry", False),
        ("body", 554, "5.7.1 spam", "failed", False),
        ("mail", 530, "5.7.0 authentication required", "retry", False),
        ("data", 421, "4.3.2 shutting down", "retry", False),
    ],
)
def test_a_servers_answer_is_understood(stage, code, text, outcome, bounced):
    answer = replies.classify(stage, code, text)
    assert (answer.outcome, answer.bounced) == (outcome, bounced)


@given(st.integers(1, 20), st.text(max_size=8))
def test_retries_wait_longer_and_end(attempts, key):
    delay = replies.retry_delay(attempts, key)
    if attempts >= replies.MAX_ATTEMPTS:
        assert delay is None
    else:
        assert delay >= timedelta(minutes=1)
        later = replies.retry_delay(attempts + 1, key)
        assert later is None or later >= delay


@given(st.lists(st.sampled_from(sorted(campaigns.TRANSITIONS)), max_size=12))
def test_a_campaign_that_has_ended_never_moves_again(wishes):
    status, ended = "draft", False
    for wish in wishes:
        try:
            status = campaigns.move(status, wish)
            assert not ended
        except StateError:
            pass
        ended = status in ("sent", "cancelled")


def test_every_state_can_be_left_but_the_last_two():
    reachable = {"draft"}
    for _ in campaigns.TRANSITIONS:
        reachable |= {
            to for start, to in product(reachable, campaigns.TRANSITIONS) if to in campaigns.TRANSITIONS[start]
        }
    assert reachable == set(campaigns.TRANSITIONS)
    assert {s for s, to in campaigns.TRANSITIONS.items() if not to} == {"sent", "cancelled"}


def test_a_local_time_is_the_shops_not_utc():
    due = campaigns.instant(None, NINE, "Asia/Shanghai", NOW)
    assert due == datetime(2026, 3, 1, 1, tzinfo=UTC)


def test_no_time_means_now_and_two_times_are_one_too_many():
    assert campaigns.instant(None, None, None, NOW) == NOW
    with pytest.raises(CampaignError):
        campaigns.instant(NOW, NINE, "Asia/Shanghai", NOW)
    with pytest.raises(CampaignError, match="time zone"):
        campaigns.instant(None, NINE, "Middle/Earth", NOW)
