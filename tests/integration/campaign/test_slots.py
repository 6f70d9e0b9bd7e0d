"""Letters filled by a slot: its rules, its experiment, what counts there, and what happens when it is removed."""

import re
from importlib import import_module

import pytest

from services.campaign.actions import publishing
from tests.integration.campaign import sender
from tests.integration.campaign.test_reactions import IPHONE

HTML = (
    "<p>{{ customer.name }}</p>{% for item in items %}"
    "<a href='{{ item.url }}?from=letter'>{{ item.item_id }}</a>{% endfor %}"
    "<a href='https://tea.example/spring'>Spring</a>"
)
PEOPLE = [f"person{n}" for n in range(12)]


@pytest.fixture
def shop(house):
    """A shop with teas of two brands, recommend's API beside it, and people who are divided by brand."""
    items = [
        {"item_id": f"{brand}-{n}", "name": f"{brand} {n}", "brand": brand, "url": f"https://tea.example/{brand}-{n}"}
        for brand in ("Lake", "Hill")
        for n in range(4)
    ]
    assert house.call("recommend", "PUT", "/v1/items", json={"items": items}).status_code < 300
    house.people(*PEOPLE)
    with sender.serving(house.act("recommend")):
        house.act("campaign")
        yield house


def experiment(house):
    variants = [
        {
            "name": brand.lower(),
            "share": 0.5,
            "overrides": {"where": f'brand = "{brand}"', "fallbacks": ["new_arrivals"]},
        }
        for brand in ("Lake", "Hill")
    ]
    reply = house.call("recommend", "POST", "/v1/slots/email/experiment", json={"variants": variants})
    assert reply.status_code < 300, reply.text


def letters(house, segment="Everybody", **fields):
    """A letter to everybody, sent to its end: the campaign, and the mails by person."""
    wanted = {"recommend_slot": "email", **fields}
    campaign = house.campaign(house.segment(name=segment), house.template(html=HTML), **wanted)
    house.start(campaign)
    house.send()
    house.sql("UPDATE send SET handed_over_at = now() - interval '1 minute'")
    mails = house.mailbox.parsed().items()
    return campaign, {name.partition("@")[0]: mail.get_body(("html",)).get_content() for name, mail in mails}


def shown_in(html):
    return re.findall(r">(Lake-\d|Hill-\d)<", html)


def links(html, kind):
    return re.findall(rf"https://mail\.tea\.example(/e/{kind}/[^\"\s>]+)", html)


def browse(house, path):
    assert house.call("campaign", "GET", path, key="", headers=IPHONE).status_code < 400


def told(house):
    """Let recommend read what became of the letters; the experiment's figures by variant."""
    with sender.serving(house.act("profile")):
        house.act("campaign")
        while publishing.publish():
            pass
    house.drain()
    house.act("recommend")
    import_module("services.recommend.actions.interactions").read_events()
    reply = house.call("recommend", "GET", "/v1/slots/email/experiment")
    return {one["name"]: one for one in reply.json["variants"]}


def test_each_reader_has_their_variant_of_the_slot_and_what_they_see_and_click_counts_in_its_experiment(shop):
    experiment(shop)
    _, mails = letters(shop, recommend_n=2)
    brands = {name: {item.partition("-")[0] for item in shown_in(html)} for name, html in mails.items()}
    assert all(len(found) == 1 for found in brands.values())
    assert all(len(shown_in(html)) == 2 for html in mails.values())
    lakes, hills = ([name for name in PEOPLE if brands[name] == {brand}] for brand in ("Lake", "Hill"))
    assert min(len(lakes), len(hills)) > 0

    browse(shop, links(mails[lakes[0]], "o")[0])  # sees it
    for _ in range(2):
        browse(shop, links(mails[hills[0]], "c")[1])  # shows no pictures; follows the second item, twice
    if len(lakes) > 1:
        browse(shop, links(mails[lakes[1]], "c")[2])  # only the link to the spring teas
    found = told(shop)
    seen = min(2, len(lakes))
    assert (found["lake"]["people"], found["lake"]["impressions"], found["lake"]["clicks"]) == (seen, 2 * seen, 0)
    assert (found["hill"]["people"], found["hill"]["impressions"], found["hill"]["clicks"]) == (1, 2, 2)

    browse(shop, links(mails[hills[0]], "o")[0])  # opened once more: shown is shown
    assert told(shop)["hill"]["impressions"] == 2
    clicked = {"slot": "email", "item_id": shown_in(mails[hills[0]])[1], "position": 1}
    rows = shop.sql("SELECT payload FROM profile_out.events_v1 WHERE event = 'Recommendation Clicked'")
    assert [clicked.items() <= row["payload"]["properties"].items() for row in rows] == [True, True]


def test_whoever_was_seen_with_a_variant_in_a_letter_keeps_it_in_the_shop_and_in_the_next_letter(shop):
    experiment(shop)
    _, mails = letters(shop)
    for html in mails.values():
        browse(shop, links(html, "o")[0])
    told(shop)
    first = {name: shown_in(html)[0][:4] for name, html in mails.items()}
    kept = shop.call("recommend", "GET", "/v1/slots/email").json
    for one, share in zip(kept["experiment"]["variants"], (0.01, 0.99), strict=True):
        one["share"] = share  # by the hash alone nearly all would have the second from now on
    body = {name: value for name, value in kept.items() if name not in ("name", "version", "updated_at")}
    assert shop.call("recommend", "PUT", "/v1/slots/email", json=body).status_code == 200
    asked = {"slot": "email", "n": 1, "user_id": PEOPLE[0]}
    answer = shop.call("recommend", "POST", "/v1/recommendations", json=asked).json
    assert answer["items"][0]["item_id"][:4] == first[PEOPLE[0]]
    shop.mailbox.mails.clear()
    _, again = letters(shop, "Once more")
    assert {name: shown_in(html)[0][:4] for name, html in again.items()} == first


def test_without_a_number_of_its_own_a_letter_has_as_many_items_as_the_slot(shop):
    _, mails = letters(shop, recommend_n=0)
    assert {len(shown_in(html)) for html in mails.values()} == {6}


def test_a_slot_that_was_removed_holds_no_letter_up_and_the_campaign_says_why(shop):
    campaign = shop.campaign(shop.segment(), shop.template(html=HTML), recommend_slot="email", recommend_n=2)
    shop.post(f"/v1/campaigns/{campaign}/schedule", json={})
    assert shop.call("recommend", "DELETE", "/v1/slots/email").status_code == 204
    shop.start_due()
    shop.send()
    assert shop.states(campaign) == {"sent": len(PEOPLE)}
    assert shop.get(f"/v1/campaigns/{campaign}")["recommend_fallback"] == "slot_gone"
    mails = [mail.get_body(("html",)).get_content() for mail in shop.mailbox.parsed().values()]
    assert all(len(shown_in(html)) == 2 for html in mails)
    (customer,) = shop.customers(PEOPLE[:1]).values()
    preview = shop.post(f"/v1/campaigns/{campaign}/preview", json={"customer_id": customer})
    assert (preview["recommend_fallback"], len(preview["items"])) == ("slot_gone", 2)


def test_a_letter_without_a_slot_is_filled_as_before_and_counts_in_no_experiment(shop):
    experiment(shop)
    _, mails = letters(shop, recommend_slot=None, recommend_n=3)
    assert {len(shown_in(html)) for html in mails.values()} == {3}
    browse(shop, links(mails[PEOPLE[0]], "c")[0])
    assert {one["people"] for one in told(shop).values()} == {0}
    assert shop.sql("SELECT FROM profile_out.events_v1 WHERE event LIKE 'Recommendation%%'") == []


def test_a_slot_that_is_not_there_is_refused_with_its_field(house):
    body = {"name": "Spring", "segment_id": house.segment(), "template_id": house.template(), "recommend_slot": "attic"}
    reply = house.call("campaign", "POST", "/v1/campaigns", json=body)
    assert (reply.status_code, reply.json["errors"][0]["path"]) == (422, "recommend_slot")
