"""Who is in a segment, and the log of who came and went."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.segmentation.actions import memberships, recompute, segments
from tests.integration.segmentation.shopfront import NOW, Shopfront

BIG = {"feature": "net_spend_minor", "op": ">=", "value": 10000}
LATELY = {"event": "Order Completed", "within_days": 7}


def never(_version: int) -> None: ...


class Club:
    """Segments of the shop, by short names."""

    def __init__(self, shop: Shopfront) -> None:
        self.shop = shop
        self.ids: dict[str, UUID] = {}

    def make(self, name: str, rule: dict[str, Any]) -> UUID:
        with self.shop.services.acting("segmentation"):
            self.ids[name] = segments.create(name, "", rule).segment.segment_id
            memberships.refresh_stale()
        return self.ids[name]

    def change(self, name: str, rule: dict[str, Any]) -> None:
        with self.shop.services.acting("segmentation"):
            segments.change(self.ids[name], name, "", rule, never)
            memberships.refresh_stale()

    def members(self, name: str) -> set[UUID]:
        rows = self.shop.segmentation.all(
            "SELECT customer_id FROM segmentation_out.memberships_v1 WHERE segment_id = %(id)s", {"id": self.ids[name]}
        )
        return {row["customer_id"] for row in rows}

    def size(self, name: str) -> int:
        found: int = self.shop.segmentation.value(
            "SELECT size FROM segmentation_out.segments_v1 WHERE segment_id = %(id)s", {"id": self.ids[name]}
        )
        return found

    def log(self) -> list[tuple[int, UUID, bool]]:
        rows = self.shop.segmentation.all("SELECT * FROM segmentation_out.membership_log_v1 ORDER BY position")
        return [(row["position"], row["customer_id"], row["entered"]) for row in rows]


@pytest.fixture
def club(shop: Shopfront) -> Club:
    return Club(shop)


def test_an_order_brings_a_customer_in_and_a_refund_out_again(shop: Shopfront, club: Club) -> None:
    mei = shop.customer()
    club.make("big", BIG)
    shop.order(mei, "o1", NOW - timedelta(days=1), 150)
    shop.read()
    assert club.members("big") == {mei}
    shop.track(mei, "Order Refunded", NOW - timedelta(hours=1), order_id="o1")
    shop.read()
    assert club.members("big") == set()
    assert club.size("big") == 0
    assert club.log() == [(1, mei, True), (2, mei, False)]


def test_a_new_segment_finds_everybody_it_holds_for(shop: Shopfront, club: Club) -> None:
    people = [shop.customer() for _ in range(3)]
    for number, who in enumerate(people):
        shop.order(who, f"o{number}", NOW - timedelta(days=1), 60 * (number + 1))
    shop.read()
    club.make("big", BIG)
    assert club.members("big") == set(people[1:])
    assert club.size("big") == 2
    assert sorted(position for position, _, _ in club.log()) == [1, 2]


def test_a_changed_rule_moves_only_who_is_concerned(shop: Shopfront, club: Club) -> None:
    mei, li = shop.customer(), shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=1), 150)
    shop.order(li, "o2", NOW - timedelta(days=1), 90)
    shop.read()
    club.make("big", BIG)
    club.change("big", {**BIG, "value": 5000})
    assert club.members("big") == {mei, li}
    assert club.log() == [(1, mei, True), (2, li, True)]


def test_a_segment_follows_the_segment_it_speaks_of(shop: Shopfront, club: Club) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=1), 150)
    shop.read()
    big = club.make("big", BIG)
    club.make("others", {"not": {"segment": str(big)}})
    assert club.members("others") == set()
    club.change("big", {**BIG, "value": 20000})
    assert club.members("others") == {mei}
    shop.order(mei, "o2", NOW - timedelta(hours=1), 150)
    shop.read()
    assert (club.members("big"), club.members("others")) == ({mei}, set())


def test_an_archived_segment_lets_its_members_go(shop: Shopfront, club: Club) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=1), 150)
    shop.read()
    club.make("big", BIG)
    with shop.services.acting("segmentation"):
        segments.archive(club.ids["big"], never)
        memberships.refresh_stale()
    assert club.members("big") == set()
    assert shop.segmentation.value("SELECT count(*) FROM segmentation_out.segments_v1") == 0
    assert club.log()[-1][1:] == (mei, False)
    shop.order(mei, "o2", NOW - timedelta(hours=1), 150)
    shop.read()
    assert club.members("big") == set()


def test_merged_customers_are_members_as_one(shop: Shopfront, club: Club) -> None:
    mei, phone = shop.customer(), shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=2), 60)
    shop.order(phone, "o2", NOW - timedelta(days=1), 60)
    club.make("lately", LATELY)
    club.make("big", BIG)
    shop.read()
    assert (club.members("lately"), club.members("big")) == ({mei, phone}, set())
    shop.merge(mei, phone)
    shop.read()
    assert (club.members("lately"), club.members("big")) == ({mei}, {mei})


def test_time_alone_takes_somebody_out_when_the_day_turns(shop: Shopfront, club: Club) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=6), 60)
    shop.read()
    club.make("lately", LATELY)
    for days, expected in ((0, {mei}), (1, {mei}), (2, set())):
        shop.clock(NOW + timedelta(days=days))
        with shop.services.acting("segmentation"):
            recompute.run_due()
        assert club.members("lately") == expected
