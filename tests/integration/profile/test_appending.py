"""The appender: every accepted event gets one position, in order, once."""

from datetime import UTC, datetime, timedelta

from psycopg.types.json import Jsonb

from services.profile.actions import append, upkeep
from services.profile.store import log as event_log
from tests.integration.profile.conftest import identify, track


def test_events_get_positions_without_gaps_in_the_order_of_arrival(tea_house):
    tea_house.send(*(track(f"Step {number}", "mei") for number in range(5)))
    tea_house.send(track("Step 5", "mei"))
    log = tea_house.log("position, event")
    assert [row["position"] for row in log] == [1, 2, 3, 4, 5, 6]
    assert [row["event"] for row in log] == [f"Step {number}" for number in range(6)]


def test_an_entry_says_what_happened_to_whom_and_when(tea_house):
    tea_house.send(
        track("Order Completed", "mei", messageId="m1", timestamp="2026-01-02T03:04:05Z", properties={"total": 9.5}),
        path="/v1/import",
    )
    entry = tea_house.log()[0]
    assert entry["customer_id"] == tea_house.user("mei")
    assert entry["identity_id"] == tea_house.user("mei")
    assert entry["occurred_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (entry["type"], entry["event"], entry["message_id"]) == ("track", "Order Completed", "m1")
    assert (entry["imported"], entry["trusted"], entry["source"]) == (True, True, "test server")
    assert entry["payload"] == {"userId": "mei", "properties": {"total": 9.5}}


def test_a_repeated_message_is_taken_once_within_a_batch_and_across(tea_house):
    tea_house.send(track("A", "mei", messageId="m1"), track("B", "mei", messageId="m1"), track("C", "mei"))
    tea_house.send(track("D", "mei", messageId="m1"), track("C", "mei"))
    assert [row["event"] for row in tea_house.log("event")] == ["A", "C", "C"]


def test_a_public_key_cannot_swallow_a_servers_event_by_using_its_message_id_first(tea_house):
    tea_house.send(track("Fake", "evil", messageId="order-1"), key="collect")
    tea_house.send(track("Order Completed", "mei", messageId="order-1"))
    assert [row["event"] for row in tea_house.log("event")] == ["Fake", "Order Completed"]


def test_an_event_in_a_later_month_is_still_a_repeat(tea_house):
    tea_house.send(track("A", "mei", messageId="m1"))
    tea_house.tx.execute("UPDATE message_seen SET seen_at = seen_at - interval '80 days'")
    with tea_house._services.acting("profile"):
        upkeep.run()
    tea_house.send(track("A", "mei", messageId="m1"))
    assert len(tea_house.log("position")) == 1


def test_after_ninety_days_a_message_is_forgotten_and_so_is_a_rejected_event(tea_house):
    tea_house.send(track("A", "mei", messageId="m1"), {"type": "page"})
    tea_house.tx.execute("UPDATE message_seen SET seen_at = seen_at - interval '91 days'")
    tea_house.tx.execute("UPDATE rejected_event SET received_at = received_at - interval '91 days'")
    with tea_house._services.acting("profile"):
        upkeep.run()
    assert tea_house.tx.value("SELECT count(*) FROM message_seen") == 0
    assert tea_house.tx.value("SELECT count(*) FROM rejected_event") == 0


def test_there_is_room_for_a_whole_partition_ahead(tea_house):
    tea_house.send(track("A", "mei"))
    with tea_house._services.acting("profile"):
        upkeep.run()
        status = upkeep.status()
    assert status["room_until"] >= status["position"] + event_log.PARTITION


def test_the_log_goes_on_in_the_next_partition_even_if_nobody_made_it(tea_house):
    tea_house.tx.execute("INSERT INTO log_head VALUES ('events', %(n)s)", {"n": event_log.PARTITION - 2})
    tea_house.send(*(track(f"Step {number}", "mei") for number in range(4)))
    positions = [row["position"] for row in tea_house.log("position")]
    assert positions == list(range(event_log.PARTITION - 1, event_log.PARTITION + 3))
    parts = tea_house.tx.all("SELECT DISTINCT tableoid::regclass::text AS part FROM event_log ORDER BY 1")
    assert [row["part"] for row in parts] == ["event_log_00000", "event_log_00001"]


def poison(tx, message_id, *, imported=False):
    """A row that no check let through but Postgres will refuse in the log: an identity of a kind there is not."""
    tx.execute(
        """
        INSERT INTO intake (id, received_at, source, trusted, imported, message_key, message_id, type, occurred_at,
                            own_kind, own_lookup, payload)
        OVERRIDING SYSTEM VALUE
        VALUES (nextval(%(ids)s), now(), 'test', true, %(imported)s, gen_random_uuid(), %(message_id)s, 'page', now(),
                'fax', '1', %(payload)s)
        """,
        {
            "ids": "intake_imported_id_seq" if imported else "intake_id_seq",
            "imported": imported,
            "message_id": message_id,
            "payload": Jsonb({"userId": "mei"}),
        },
    )


def test_a_row_that_cannot_be_appended_is_set_aside_and_never_blocks_the_log(tea_house):
    api = tea_house.api.as_key("server")
    api.post("/v1/batch", json={"batch": [track(f"Before {number}", "mei") for number in range(20)]})
    poison(tea_house.tx, "poison 1")
    api.post("/v1/batch", json={"batch": [track(f"Between {number}", "mei") for number in range(20)]})
    poison(tea_house.tx, "poison 2")
    api.post("/v1/batch", json={"batch": [track("After", "mei")]})
    assert tea_house.append() == 41
    log = tea_house.log("position, event")
    assert [row["position"] for row in log] == list(range(1, 42))
    assert log[-1]["event"] == "After"
    reasons = tea_house.tx.all("SELECT reasons FROM rejected_event")
    assert [row["reasons"][0]["code"] for row in reasons] == ["append_failed", "append_failed"]


def test_what_happens_now_is_in_the_log_before_an_import_that_came_first_and_each_keeps_its_order(tea_house):
    api = tea_house.api.as_key("server")
    api.post("/v1/import", json={"batch": [track(f"Past {number}", "mei") for number in range(3)]})
    api.post("/v1/batch", json={"batch": [track(f"Now {number}", "mei") for number in range(2)]})
    api.post("/v1/import", json={"batch": [track(f"Past {number}", "mei") for number in range(3, 5)]})
    tea_house.append()
    log = tea_house.log("position, event, imported")
    assert [row["position"] for row in log] == list(range(1, 8))
    assert [row["event"] for row in log if row["imported"]] == [f"Past {number}" for number in range(5)]
    assert [row["event"] for row in log if not row["imported"]] == ["Now 0", "Now 1"]
    assert not any(row["imported"] for row in log[:2])


def test_an_import_goes_on_while_more_live_events_come_than_a_round_takes(tea_house, monkeypatch):
    monkeypatch.setattr(append, "ROWS_A_ROUND", 4)
    api = tea_house.api.as_key("server")
    api.post("/v1/import", json={"batch": [track("Past", "mei") for _ in range(4)]})
    api.post("/v1/batch", json={"batch": [track("Now", "mei") for _ in range(12)]})
    tea_house.append()
    assert [row["event"] for row in tea_house.log("event")] == [*["Now"] * 4, "Past"] * 3 + ["Past"]


def test_a_message_that_comes_live_and_in_an_import_is_taken_once(tea_house):
    api = tea_house.api.as_key("server")
    api.post("/v1/import", json={"batch": [track("Past", "mei", messageId="m1")]})
    api.post("/v1/batch", json={"batch": [track("Now", "mei", messageId="m1")]})
    tea_house.append()
    assert [row["event"] for row in tea_house.log("event")] == ["Now"]


def test_a_row_of_an_import_that_cannot_be_appended_is_set_aside(tea_house):
    api = tea_house.api.as_key("server")
    api.post("/v1/import", json={"batch": [track("Before", "mei")]})
    poison(tea_house.tx, "poison", imported=True)
    api.post("/v1/import", json={"batch": [track("After", "mei")]})
    api.post("/v1/batch", json={"batch": [track("Now", "mei")]})
    assert tea_house.append() == 3
    assert [row["event"] for row in tea_house.log("event")] == ["Now", "Before", "After"]
    assert tea_house.tx.value("SELECT reasons -> 0 ->> 'code' FROM rejected_event") == "append_failed"


def test_an_outcome_may_name_the_customer_by_our_id(tea_house):
    tea_house.send(track("A", "mei"))
    mei = tea_house.user("mei")
    tea_house.send(track("Email Opened", context={"identityId": str(mei)}))
    assert [row["customer_id"] for row in tea_house.log("customer_id")] == [mei, mei]


def test_an_outcome_for_an_id_we_do_not_have_is_set_aside(tea_house):
    unknown = "01932c8e-7a10-7000-8000-000000000000"
    tea_house.send(track("Email Opened", context={"identityId": unknown}), track("A", "mei"))
    assert [row["event"] for row in tea_house.log("event")] == ["A"]
    assert tea_house.tx.value("SELECT reasons -> 0 ->> 'code' FROM rejected_event") == "no_identity"


def test_first_and_last_seen_do_not_depend_on_the_order_of_arrival(tea_house):
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 5, 2)]
    for day in days:
        tea_house.send(track("Product Viewed", "mei", timestamp=day.isoformat()))
    mei = tea_house.profile(tea_house.user("mei"))
    assert (mei["first_seen_at"], mei["last_seen_at"]) == (min(days), max(days))


def test_a_clock_that_is_two_hours_ahead_is_put_right(tea_house):
    ahead = datetime.now(UTC) + timedelta(hours=2)
    tea_house.send(
        track("A", "mei", originalTimestamp=(ahead - timedelta(minutes=5)).isoformat()), sentAt=ahead.isoformat()
    )
    age = datetime.now(UTC) - tea_house.log("occurred_at")[0]["occurred_at"]
    assert timedelta(minutes=4) < age < timedelta(minutes=6)


def test_a_round_takes_no_more_than_it_is_told(tea_house):
    tea_house.api.as_key("server").post("/v1/batch", json={"batch": [track("A", "mei") for _ in range(5)]})
    with tea_house._services.acting("profile"):
        assert append.append_round(2) == append.Round(2, 2)
        assert append.append_round(10) == append.Round(3, 3)
        assert append.append_round(10) == append.Round(0)


def test_traits_are_those_said_last_whatever_came_in_last(tea_house):
    tea_house.send(identify("mei", {"plan": "gold"}, timestamp="2026-02-01T00:00:00Z"))
    tea_house.send(identify("mei", {"plan": "free", "city": "Hangzhou"}, timestamp="2026-01-01T00:00:00Z"))
    mei = tea_house.profile(tea_house.user("mei"))
    assert mei["traits"] == {"plan": "gold", "city": "Hangzhou"}
    assert (mei["user_id"], mei["city"], mei["identified"]) == ("mei", "Hangzhou", True)


def test_five_hundred_events_wake_the_readers_once(tea_house, monkeypatch):
    from shared import contracts, queue

    sent = []
    monkeypatch.setattr(queue, "nudge", lambda name, **ids: sent.append(name))
    tea_house.send(*(track("A", "mei") for _ in range(500)))
    assert sent == [contracts.INTAKE_GREW, contracts.EVENTS_GREW]
