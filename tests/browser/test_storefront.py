"""The widget and the sample shop, as visitors have them."""

import pytest

from tests.journey.platform import eventually

HOSTILE = '<img src=x onerror="document.title=1">"><script>document.title=1</script>'


@pytest.fixture(scope="session")
def sample_shop(tea_shop, worker_id):
    """The sample shop with Mei to be played, and an item of a hostile name."""
    platform = tea_shop.platform
    items = [
        {"item_id": f"HOSTILE-{worker_id}", "name": HOSTILE, "category": "Odd", "price": "88", "currency": "CNY"},
        {"item_id": f"YEN-{worker_id}", "name": "玉露 Gyokuro", "category": "Odd", "price": "1200", "currency": "JPY"},
    ]
    platform.put("/v1/items", {"items": items})
    mei = platform.get(f"/v1/customers/{tea_shop.mei}")
    user_id = next(one["value"] for one in mei["identities"] if one["kind"] == "user_id")
    platform.put("/v1/sample-shop", {"open": True, "shoppers": [{"user_id": user_id, "label": "Mei"}]})
    slot = {"strategy": "new_arrivals", "where": 'category = "Odd"', "n": 2, "exclude": {"bought": False}}
    platform.put("/v1/slots/odd", slot)
    asked = {"slot": "odd"}
    eventually(lambda: len(platform.post("/v1/recommendations", asked)["items"]) == 2 or None)
    return tea_shop


def place(page, slot, lang="en"):
    """Put an empty place for recommendations into the page, as a shop's template would, and have it filled."""
    page.evaluate(
        """([slot, lang]) => {
            const made = document.createElement("div");
            Object.assign(made, { id: "tried", lang, textContent: "what stood here" });
            Object.assign(made.dataset, { zhikeSlot: slot, title: "tried" });
            document.querySelector("main").prepend(made);
            return zhike.refresh();
        }""",
        [slot, lang],
    )
    return page.locator("#tried")


def test_a_hostile_name_stays_text_and_money_has_the_decimals_of_its_currency(window, sample_shop):
    page = window.page
    page.goto("/storefront")
    found = place(page, "odd", "zh-Hans")
    found.locator(".zhike-card").nth(1).wait_for()
    assert HOSTILE in found.locator(".zhike-name").all_inner_texts()
    assert found.locator("img, script").count() == 0
    assert "1" not in page.title()
    prices = " ".join(found.locator(".zhike-price").all_inner_texts())
    assert sorted(prices.split()) == ["JP¥1,200", "¥88.00"]  # the shop's own currency by its bare sign
    assert "新品上架" in found.inner_text()


def test_no_address_of_an_item_becomes_script_or_an_attribute_of_a_shops_page(window):
    """In a page without a policy of its own, as most shops have."""
    page, script = window.page, "javascript:document.title=1"
    breaking = 'https://pictures.example/x" onerror="document.title=1" onclick="document.title=1'
    items = [
        {"item_id": "A", "name": HOSTILE, "url": script, "image_url": script},
        {
            "item_id": "B",
            "url": " JaVa\tScript:document.title=1",
            "image_url": breaking,
            "reason_text": {"en": HOSTILE},
        },
        {"item_id": "C", "url": breaking, "image_url": "data:text/html,<script>document.title=1</script>"},
    ]
    place = "<title>tea</title><div data-zhike-slot='home'></div><script src='/widget.js' data-key='k' defer></script>"
    page.route("**/a-shop", lambda route: route.fulfill(body=place, content_type="text/html"))
    page.route("**/v1/recommendations", lambda route: route.fulfill(json={"recommendation_id": "r", "items": items}))
    page.route("https://pictures.example/**", lambda route: route.abort())
    page.goto("/a-shop")
    cards = page.locator(".zhike-card")
    cards.nth(2).wait_for()
    assert [one.evaluate("card => card.tagName") for one in cards.all()] == ["DIV", "DIV", "A"]
    addresses = page.evaluate("[...document.querySelectorAll('a, img')].map(one => one.href || one.src)")
    assert len(addresses) == 2
    assert all(one.startswith("https://pictures.example/x%22") for one in addresses)
    names = page.evaluate("[...document.querySelectorAll('ul, ul *')].flatMap(one => one.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []
    for one in cards.all()[:2]:
        one.click()
    assert page.title() == "tea"
    window.complaints.clear()  # the browser tells of the picture that was not there


def test_what_stands_in_a_place_stays_where_there_is_no_answer(window, sample_shop):
    page = window.page
    page.goto("/storefront")
    page.wait_for_load_state("networkidle")
    assert place(page, "nosuchslot").inner_text() == "what stood here"
    window.complaints.clear()  # the browser tells of the 422 we asked for


def test_a_visitor_looks_and_buys_with_the_keyboard_and_the_panel_tells_what_is_known(window, sample_shop):
    page = window.page
    page.goto("/storefront/item/TEA-3")
    page.get_by_role("button", name="Put into the cart").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="What Zhike knows now")
    panel.get_by_text("Put into the cart").wait_for()
    panel.get_by_text("Looked at").wait_for()
    assert page.locator("[data-cart-count]").inner_text() == "1"
    assert window.faults() == []
    first = page.locator("main .zhike-card").first
    first.wait_for()
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/storefront/item/*")
    panel.get_by_text("Clicked a recommendation").wait_for()
    page.goto("/storefront/cart")
    page.get_by_role("button", name="Order", exact=True).press("Enter")
    page.get_by_text("The order is in the log").wait_for()
    panel.get_by_text("Ordered").wait_for()


def test_recommendations_change_with_what_a_visitor_does(window, sample_shop):
    page = window.page
    page.goto("/storefront")
    page.get_by_text("You have not looked at anything yet.").wait_for()
    page.goto("/storefront/item/TEA-5")
    page.locator("[data-events]").get_by_text("Looked at").wait_for()
    seen = page.locator("[data-title='Seen lately']")

    def looked_at() -> int:
        page.goto("/storefront")
        page.wait_for_load_state("networkidle")
        return seen.get_by_text("Longjing 5").count()

    eventually(looked_at)


def test_a_shopper_logs_in_and_gets_what_is_theirs(window, sample_shop):
    page = window.page
    page.goto("/storefront")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("You are Mei.").wait_for()
    page.locator("[data-reasons]").get_by_text("from this customer's history").first.wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_text("You are a visitor whom nobody knows.").wait_for()


def test_a_slot_is_edited_and_its_preview_follows(window, sample_shop):
    page = window.enter("marketer").page
    page.goto("/slots/home")
    preview = page.locator("#preview")
    preview.locator(".tile").first.wait_for()
    page.get_by_label("Filter", exact=True).fill('item_id = "TEA-7"')
    preview.get_by_text("1 of 12:").wait_for()
    assert "Longjing 7" in preview.locator(".tile").inner_text()
    page.get_by_label("Filter", exact=True).fill("price < cheap")
    preview.get_by_text("texts stand in quotation marks").wait_for()
    page.get_by_label("Filter", exact=True).fill("price < 1000")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The slot is saved.").wait_for()
    assert sample_shop.platform.get("/v1/slots/home")["where"] == "price < 1000"
