"""Events are kept for ever, or for as long as the shop says: then whole partitions go, once everybody has read them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.profile.actions import merges, upkeep
from services.profile.store import log as event_log
from tests.integration.profile.conftest import identify, track

NOW = datetime.now(UTC)
READERS = ("segmentation", "recommend", "campaign")


@pytest.fixture
def shop(tea_house, services, console_api, monkeypatch):
    """Five partitions of ten entries each, received 400 days ago; the last entry is of today."""
    monkeypatch.setattr(event_log, "PARTITION", 10)
    tea_house.send(*(track(f"Step {number}", f"guest-{number % 4}") for number in range(1, 43)))
    tea_house.tx.execute("UPDATE event_log SET received_at = received_at - interval '400 days' WHERE position < 42")
    tea_house.tx.execute("UPDATE identity SET created_at = created_at - interval '400 days'")

    class Shop:
        def keeps(self, days: int | None) -> None:
            assert console_api.put("/v1/shop", json={"events_kept_days": days}).status_code == 200

        def read(self, position: int, readers=READERS) -> None:
            for reader in readers:
                services.transaction(reader).execute(
                    """
                    INSERT INTO log_cursor VALUES (%(reader)s, %(position)s)
                    ON CONFLICT (reader) DO UPDATE SET position = excluded.position
                    """,
                    {"reader": reader, "position": position},
                )

        def upkeep(self) -> None:
            with services.acting("profile"):
                upkeep.run(NOW)

        def positions(self) -> list[int]:
            return [row["position"] for row in tea_house.log("position")]

    return Shop()


def test_events_are_kept_for_ever_unless_somebody_decides_otherwise(shop):
    shop.read(42)
    shop.upkeep()
    assert shop.positions() == list(range(1, 43))


def test_old_partitions_go_and_the_one_being_written_stays(shop):
    shop.keeps(365)
    shop.read(42)
    shop.upkeep()
    assert shop.positions() == [40, 41, 42]


def test_what_one_reader_has_not_read_stays(shop):
    shop.keeps(365)
    shop.read(42)
    shop.read(25, ["recommend"])
    shop.upkeep()
    assert shop.positions() == list(range(20, 43))
    shop.read(42, ["recommend"])
    shop.upkeep()
    assert shop.positions() == [40, 41, 42]


def test_nothing_goes_while_a_reader_has_not_begun(shop):
    shop.keeps(365)
    shop.read(42, ["segmentation", "recommend"])
    shop.upkeep()
    assert shop.positions()[0] == 1


def test_younger_events_stay(shop):
    shop.keeps(401)
    shop.read(42)
    shop.upkeep()
    assert shop.positions()[0] == 1


def test_positions_go_on_after_partitions_went(shop, tea_house):
    shop.keeps(365)
    shop.read(42)
    shop.upkeep()
    tea_house.send(*(track("Later", "guest-1") for _ in range(20)))
    shop.upkeep()
    assert shop.positions() == list(range(40, 63))


def test_a_customer_whose_events_are_gone_is_still_there_after_an_unmerge(shop, tea_house, services):
    tea_house.send(identify("guest-2", anonymousId="browser-2"))
    shop.keeps(365)
    shop.read(42)
    shop.upkeep()
    (link,) = tea_house.tx.all("SELECT link_id FROM identity_link")
    with services.acting("profile"):
        merges.undo(link["link_id"], "a test")
    seen = tea_house.profile(tea_house.user("guest-2"))
    assert NOW - seen["first_seen_at"] > timedelta(days=300)
