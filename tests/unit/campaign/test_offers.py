"""Which recommended item a link in a message leads to."""

from uuid import UUID

import pytest

from services.campaign.domain.offers import offered

ANSWER = UUID(int=7)
ITEMS = [
    {"item_id": "cup", "url": "https://tea.example/cup"},
    {"item_id": "cup-2", "url": "https://tea.example/cup?size=2"},
    {"item_id": "free", "url": None},
]


@pytest.mark.parametrize(
    ("destination", "item_id", "place"),
    [
        ("https://tea.example/cup", "cup", 0),
        ("https://tea.example/cup?utm_source=letter", "cup", 0),
        ("https://tea.example/cup#leaves", "cup", 0),
        ("https://tea.example/cup?size=2", "cup-2", 1),
        ("https://tea.example/cup?size=2&utm_source=letter", "cup-2", 1),
    ],
)
def test_a_link_to_an_item_is_known_with_whatever_is_added_to_its_address(destination, item_id, place):
    found = offered(ANSWER, ITEMS).behind(destination)
    assert (found.item_id, found.place) == (item_id, place)


@pytest.mark.parametrize("destination", ["https://tea.example/cups", "https://tea.example/", "https://else.example"])
def test_other_links_lead_to_no_item(destination):
    assert offered(ANSWER, ITEMS).behind(destination) is None


def test_what_no_slot_filled_offers_nothing_to_count():
    assert offered(None, ITEMS) is None
    assert offered(ANSWER, []) is None
