"""In which order segmentation brings customers up to date."""

from datetime import timedelta

from services.segmentation.actions import events
from services.segmentation.store import facts
from tests.integration.segmentation.shopfront import NOW


def test_whoever_is_behind_for_longest_is_brought_up_to_date_first(services, shop):
    people = shop.crowd(6)
    for who in reversed(people):
        shop.track(who, "Product Viewed", NOW - timedelta(hours=1))
        with services.acting("segmentation"):
            assert not events.read_facts()
    taken = [facts.take_due(shop.segmentation, NOW, 2) for _ in range(4)]
    assert [set(customers) for customers, _ in taken] == [set(people[4:]), set(people[2:4]), set(people[:2]), set()]
    assert [more for _, more in taken] == [True, True, True, False]
