"""Consent: the latest decision is in force, and in doubt the withdrawal."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.consent import ConsentError, Decision, check, in_force, latest

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DECISIONS = st.builds(
    Decision,
    purpose=st.sampled_from(["marketing", "service"]),
    channel=st.sampled_from(["email", "sms"]),
    granted=st.booleans(),
    decided_at=st.integers(0, 4).map(lambda hours: NOON + timedelta(hours=hours)),
    source=st.just("form"),
)


@given(st.lists(DECISIONS), st.randoms())
def test_the_order_of_arrival_does_not_matter(decisions, random):
    assert in_force(random.sample(decisions, len(decisions))) == in_force(decisions)


@given(st.lists(DECISIONS, min_size=1))
def test_the_latest_decision_wins_and_at_the_same_instant_the_withdrawal(decisions):
    for held in in_force(decisions):
        rivals = [d for d in decisions if (d.purpose, d.channel) == (held.purpose, held.channel)]
        last = max(d.decided_at for d in rivals)
        assert held.decided_at == last
        assert held.granted == all(d.granted for d in rivals if d.decided_at == last)


def test_a_purpose_nobody_decided_on_has_no_consent():
    given = Decision("marketing", "email", True, NOON, "form")
    assert latest([given], "marketing", "email") == given
    assert latest([given], "marketing", "sms") is None


@pytest.mark.parametrize(
    ("purpose", "channel", "when"),
    [("Marketing!", "email", NOON), ("marketing", "fax", NOON), ("marketing", "email", NOON + timedelta(hours=1))],
)
def test_what_is_no_decision_is_refused(purpose, channel, when):
    with pytest.raises(ConsentError):
        check(purpose, channel, when, NOON)
