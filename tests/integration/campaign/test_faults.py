"""What happens to messages when a worker, a connection or a server fails in the middle."""

import signal
from datetime import UTC, datetime

import pytest

from services.campaign.store import ledger
from services.campaign.store.ledger import Settlement
from shared.database import transaction
from shared.ids import uuid7
from tests.integration.campaign import sender
from tests.integration.campaign.mailbox import wait_until


@pytest.fixture
def many(house):
    """Sixty customers in a segment."""
    house.people(*(f"customer{n}" for n in range(60)))
    return house.segment()


def _expire_leases(house):
    house.sql("UPDATE send SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")


@pytest.mark.fault
def test_a_worker_killed_in_a_window_leaves_that_window_uncertain_and_nobody_gets_two(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.mailbox.hang_at = 30
    worker = sender.start(house.act("campaign"))
    wait_until(lambda: len(house.mailbox.mails) == 30)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    house.mailbox.hang_at = None
    _expire_leases(house)
    house.send()
    states = house.states(campaign)
    assert states["uncertain"] == 20, "the window that was leaving, no row more"
    assert states == {"sent": 40, "uncertain": 20}
    assert max(house.mailbox.recipients().values()) == 1
    assert house.get(f"/v1/campaigns/{campaign}/report")["interrupted"] == {"windows": 1, "uncertain": 20}


@pytest.mark.fault
def test_a_transactional_message_goes_again_after_its_worker_was_killed(house, many):
    campaign = house.campaign(many, house.template(), purpose="transactional")
    house.start(campaign)
    house.mailbox.hang_at = 30
    worker = sender.start(house.act("campaign"))
    wait_until(lambda: len(house.mailbox.mails) == 30)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    house.mailbox.hang_at = None
    _expire_leases(house)
    house.send()
    assert house.states(campaign) == {"sent": 60}
    twice = [address for address, count in house.mailbox.recipients().items() if count > 1]
    assert len(twice) <= 20
    ids = {mail["message-id"] for mail in house.mailbox.parsed().values()}
    assert len(ids) == 60, "a second copy has the same Message-ID as the first"


@pytest.mark.fault
def test_a_worker_frozen_past_its_lease_hands_nothing_over_when_it_wakes(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.mailbox.slow_s = 0.05
    worker = sender.start(house.act("campaign"))
    wait_until(lambda: len(house.mailbox.mails) >= 5)
    worker.send_signal(signal.SIGSTOP)
    _expire_leases(house)
    house.mailbox.slow_s = 0
    house.send()
    worker.send_signal(signal.SIGCONT)
    sender.finish(worker)
    states = house.states(campaign)
    assert set(states) <= {"sent", "uncertain"}
    assert sum(states.values()) == 60
    assert states.get("uncertain", 0) <= 20
    assert max(house.mailbox.recipients().values()) == 1


@pytest.mark.fault
def test_three_workers_at_once_send_each_message_once(house):
    house.people(*(f"customer{n}" for n in range(900)))
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    workers = [sender.start(house.act("campaign")) for _ in range(3)]
    handed_over = [sender.finish(worker) for worker in workers]
    house.send()
    assert sum(handed_over) == 900
    assert house.states(campaign) == {"sent": 900}
    assert set(house.mailbox.recipients().values()) == {1}
    assert len(house.mailbox.mails) == 900


def test_a_cut_connection_leaves_one_message_uncertain_and_the_rest_go_on(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.mailbox.cut_at = 7
    house.send()
    house.sql("UPDATE send SET due_at = now() WHERE state = 'pending'")
    house.send()
    assert house.states(campaign) == {"sent": 59, "uncertain": 1}
    assert max(house.mailbox.recipients().values()) == 1


def test_an_unknown_mailbox_is_suppressed_and_a_busy_one_is_tried_again(house):
    house.people("mei", "li", "wang", "zhao")
    segment = house.segment()
    campaign = house.campaign(segment, house.template())
    house.start(campaign)
    house.mailbox.refuse_recipient = {
        "mei@tea.example": "550 5.1.1 <mei@tea.example>: no such user",
        "li@tea.example": "451 4.7.1 greylisted, come back later",
    }
    house.mailbox.refuse_message = {"zhao@tea.example": "554 5.7.1 looks like spam"}
    house.send()
    rows = house.get(f"/v1/campaigns/{campaign}/recipients")["items"]
    told = {row["reason"]: row for row in rows}
    assert told["mailbox_unknown"]["state"] == "failed"
    assert told["temporary_refusal"]["state"] == "pending"
    assert told["message_refused"]["state"] == "failed"
    assert told["accepted"]["state"] == "sent"
    assert "mei@tea.example" not in told["mailbox_unknown"]["reply"], "a stored reply names nobody"
    house.mailbox.refuse_recipient = {}
    house.sql("UPDATE send SET due_at = now() WHERE state = 'pending'")
    house.send()
    assert house.states(campaign) == {"sent": 2, "failed": 2}
    again = house.campaign(segment, house.template(name="Summer"))
    house.start(again)
    assert house.states(again)["suppressed"] == 1, "mei's mailbox does not exist"


def test_a_mail_server_that_is_away_costs_nothing_but_time(house):
    house.people("mei", "li")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    url, house.mailbox.url = house.mailbox.url, "smtp://127.0.0.1:9"
    assert house.send() == 0
    assert house.states(campaign) == {"pending": 2}
    assert "cannot be reached" in house.get(f"/v1/campaigns/{campaign}")["problem"]
    house.mailbox.url = url
    assert house.send() == 2
    assert house.get(f"/v1/campaigns/{campaign}")["problem"] is None


def test_the_last_slot_of_a_cap_is_taken_once_by_two_campaigns_at_once(house):
    house.people(*(f"customer{n}" for n in range(120)))
    house.policy(cap_messages=1)
    segment, template = house.segment(), house.template()
    campaigns = [house.campaign(segment, template, name=name) for name in ("Spring", "Summer")]
    for campaign in campaigns:
        house.start(campaign)
    workers = [sender.start(house.act("campaign")) for _ in range(2)]
    for worker in workers:
        sender.finish(worker)
    house.send()
    assert len(house.mailbox.mails) == 120
    assert set(house.mailbox.recipients().values()) == {1}
    states = [house.states(campaign) for campaign in campaigns]
    assert sum(state.get("sent", 0) for state in states) == 120
    assert sum(state.get("capped", 0) for state in states) == 120


def test_pausing_stops_within_a_window_and_resuming_goes_on(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.mailbox.slow_s = 0.02
    worker = sender.start(house.act("campaign"))
    wait_until(lambda: len(house.mailbox.mails) >= 3)
    house.post(f"/v1/campaigns/{campaign}/pause")
    sender.finish(worker)
    sent = len(house.mailbox.mails)
    assert sent <= 40, "the window that was leaving, and at most the one announced meanwhile"
    assert house.states(campaign) == {"sent": sent, "pending": 60 - sent}
    house.mailbox.slow_s = 0
    house.post(f"/v1/campaigns/{campaign}/resume")
    house.send()
    assert house.states(campaign) == {"sent": 60}


def test_the_switch_stops_all_sending_within_a_window(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.mailbox.slow_s = 0.02
    worker = sender.start(house.act("campaign"))
    wait_until(lambda: len(house.mailbox.mails) >= 3)
    house.shop(sending_enabled=False)
    sender.finish(worker)
    assert len(house.mailbox.mails) <= 40
    assert house.send() == 0
    house.shop(sending_enabled=True)
    house.send()
    assert house.states(campaign) == {"sent": 60}


def test_cancelling_settles_everybody_who_was_not_written_to(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.post(f"/v1/campaigns/{campaign}/cancel")
    assert house.send() == 0
    assert house.states(campaign) == {"cancelled": 60}
    assert house.mailbox.mails == []


@pytest.mark.fault
def test_a_database_that_drops_its_connections_costs_no_answer(house, many):
    campaign = house.campaign(many, house.template())
    house.start(campaign)
    house.mailbox.slow_s = 0.03
    worker = sender.start(house.act("campaign"))
    for count in (5, 25, 45):
        wait_until(lambda count=count: len(house.mailbox.mails) >= count or worker.poll() is not None)
        house.sql(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
            """
        )
    sender.finish(worker)
    house.mailbox.slow_s = 0
    _expire_leases(house)
    house.sql("UPDATE send SET due_at = now() WHERE state = 'pending'")
    house.send()
    assert house.states(campaign) == {"sent": 60}
    assert set(house.mailbox.recipients().values()) == {1}


def test_an_answer_that_comes_after_the_run_was_cancelled_leaves_nobody_waiting(house):
    """A window is on its way when the campaign is cancelled; the server then says: try one of them again later."""
    house.people("mei", "wei")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    house.act("campaign")
    lease, window = uuid7(), uuid7()
    with transaction() as tx:
        run_id = tx.value("SELECT run_id FROM run")
        rows = ledger.claim(tx, run_id, lease, 10)
        ledger.begin_hand_over(
            tx, lease, window, [row["send_id"] for row in rows], [None] * len(rows), [None] * len(rows)
        )
    house.post(f"/v1/campaigns/{campaign}/cancel")
    house.act("campaign")
    told = [
        Settlement(rows[0]["send_id"], "sent", "accepted", tried=True),
        Settlement(rows[1]["send_id"], "pending", "try_again", due_at=datetime.now(UTC), tried=True),
    ]
    with transaction() as tx:
        ledger.settle_window(tx, window, told)
    assert house.states(campaign) == {"cancelled": 1, "sent": 1}
