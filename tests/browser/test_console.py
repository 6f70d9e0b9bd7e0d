"""The console as people use it."""

import re

from tests.journey.platform import eventually

PAGES = [
    "/",
    "/customers",
    "/customers/{mei}",
    "/segments",
    "/segments/new",
    "/campaigns",
    "/campaigns/new",
    "/templates",
    "/templates/new",
    "/recommendations?customer={mei}",
    "/slots",
    "/slots/home",
    "/slots/new",
    "/models",
    "/experiments",
    "/experiments/home?candidate=popular",
    "/audiences",
    "/audiences?q=tea",
    "/audiences?item=TEA-1",
    "/catalogue",
    "/catalogue/TEA-1",
    "/rejected",
    "/shop",
    "/keys",
    "/people",
    "/audit",
    "/reference",
    "/account",
]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def test_a_person_logs_in_looks_around_and_logs_out(window):
    page = window.log_in().page
    assert page.get_by_role("heading", name="Overview").is_visible()
    page.get_by_role("navigation", name="Main navigation").get_by_role("link", name="Customers").click()
    assert page.get_by_role("heading", name="Customers").is_visible()
    page.locator("details.dropdown > summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto("/customers")
    assert "/login" in page.url


def test_the_language_is_switched_with_one_click_and_stays(window):
    page = window.page
    page.goto("/login")
    page.get_by_role("button", name="简体中文").click()
    assert page.get_by_role("button", name="登录").is_visible()
    page.get_by_role("button", name="English").click()
    window.log_in()
    page.get_by_role("button", name="简体中文").click()
    assert page.get_by_role("heading", name="概览").is_visible()
    page.goto("/segments")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.get_by_role("button", name="English").click()
    assert page.get_by_role("heading", name="Segments").is_visible()


def test_a_customer_is_found_and_everything_is_on_one_page(window):
    page = window.enter().page
    page.goto("/customers")
    page.get_by_label("Search for a customer").fill("王梅")
    page.get_by_role("button", name="Search").click()
    page.goto(f"/customers/{window.shop.mei}")
    assert page.get_by_role("heading", name="王梅").is_visible()
    for part in ("Timeline", "Contact", "Scores and segments", "What we would recommend", "Consent", "Identities"):
        assert page.get_by_role("heading", name=part, exact=True).is_visible(), part
    assert page.get_by_text("Ordered").first.is_visible()
    assert page.get_by_text("cannot be shown now").count() == 0


def test_who_need_not_know_addresses_does_not_see_them(window):
    page = window.enter("viewer").page
    page.goto(f"/customers/{window.shop.mei}")
    assert page.get_by_role("heading", name="王**").is_visible()
    for opened in page.locator("details summary").all():
        opened.click()
    text = page.locator("main").inner_text()
    assert "mei-0@shop.example" not in text
    assert "王梅" not in text
    assert page.get_by_role("button", name="Undo").count() == 0


def test_a_segment_is_built_from_rows_and_counted_while_it_is_built(window):
    page = window.enter("marketer").page
    page.goto("/segments/new")
    page.get_by_label("Name", exact=True).fill("爱喝茶的杭州顾客")
    preview = page.locator("#preview")
    preview.get_by_text(re.compile(r"of \d+ customers")).wait_for()
    rows = page.locator(".rule-row")
    rows.first.get_by_label("What the condition is about").select_option("trait:city")
    rows.first.get_by_label("Comparison").select_option("=")
    rows.first.get_by_label("Value", exact=True).fill("杭州")
    page.get_by_role("button", name="+ behaviour").click()
    assert rows.count() == 2
    preview.get_by_text("city is 杭州").wait_for()
    rule = page.locator("#rule").input_value()
    assert '"trait": "city"' in rule
    assert '"event": "Order Completed"' in rule
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/segments/*-*-*")
    assert page.get_by_role("heading", name="爱喝茶的杭州顾客").is_visible()
    path = page.url.removeprefix(window.shop.url)
    eventually(lambda: (page.goto(path), page.get_by_text("王梅").count())[1])


def test_a_rule_written_by_hand_is_shown_in_rows_and_a_wrong_one_is_explained(window):
    page = window.enter("marketer").page
    page.goto("/segments/new")
    page.get_by_text("The rule as JSON").click()
    page.locator("#rule").fill('{"any": [{"score": "lifecycle", "op": "in", "value": ["new", "active"]}]}')
    page.get_by_label("New", exact=True).wait_for()
    assert page.get_by_label("Active", exact=True).is_checked()
    assert not page.get_by_label("Lost", exact=True).is_checked()
    page.locator("#rule").fill('{"all": [{"feature": "shoe_size", "op": "=", "value": 39}]}')
    page.locator("#preview").get_by_text("The rule is not complete yet:").wait_for()


def test_a_campaign_is_drafted_and_seen_as_a_real_customer_gets_it(window):
    shop = window.shop
    segment = shop.platform.post(
        "/v1/segments", {"name": f"All {shop.mei}", "rule": {"trait": "email", "op": "exists"}}
    )
    page = window.enter().page
    page.goto(f"/campaigns/new?segment_id={segment['segment_id']}")
    page.get_by_label("Name", exact=True).fill("Spring tea")
    page.get_by_role("button", name="Continue to the message").click()
    page.get_by_label("Subject").fill("{{ customer.name }}, the first tea of spring")
    page.get_by_label("Preview as").fill(shop.mei)
    preview = page.locator("#preview")
    preview.get_by_text("王梅, the first tea of spring").wait_for()
    message = page.frame_locator("iframe.message")
    message.get_by_text("王梅").first.wait_for()
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_label("Held out (per cent)").fill("20")
    page.get_by_role("button", name="Save and review").click()
    assert page.get_by_text("The draft is saved.").is_visible()
    page.get_by_label("Customer", exact=True).fill(shop.mei)
    page.get_by_label("Customer", exact=True).press("Tab")
    page.locator("#preview").get_by_text("王梅, the first tea of spring").wait_for()
    assert page.get_by_role("button", name="Start now").is_visible()


def test_a_marketer_keeps_whom_to_offer_a_tea_as_a_segment(new_window):
    window = new_window(viewport={"width": 1440, "height": 900}).enter("marketer")
    page = window.page
    page.goto("/audiences")
    page.get_by_label("A word of an item or a category").fill("Longjing 3")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="龙井 Longjing 3").click()
    page.get_by_label("How many customers at most").fill("5")
    page.get_by_role("button", name="Compute").click()
    customers = page.locator("#audience table.stack tbody tr")
    customers.first.wait_for()
    assert customers.count() == 5
    assert page.get_by_text("no response can be expected").is_visible()  # of twelve customers
    assert page.locator("#audience td a").first.get_attribute("href").startswith("/customers/")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take along as a table (CSV)").click()
    table = taken.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(table) == 6
    name = f"Longjing lovers {window.shop.mei[-6:]}"
    page.locator("#audience").get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the segment").click()
    page.get_by_role("heading", name=name).wait_for()
    address = page.url
    assert page.locator(".rule-text").inner_text() == "on a fixed list of customers"
    eventually(lambda: page.goto(address) and page.locator("tbody tr").count() == 5)
    page.goto(address + "/edit")
    assert page.get_by_text("Is on a fixed list of customers").is_visible()


def test_a_slot_promotes_what_a_marketer_says(new_window):
    page = new_window(viewport={"width": 1440, "height": 900}).enter("marketer").page
    page.goto("/slots/category")
    page.get_by_label("Name of the promotion").first.fill("spring")
    page.get_by_label("Share (per cent)").first.fill("25")
    page.get_by_label("What is promoted").first.select_option("by item ids")
    page.get_by_label("Filter, or item ids with commas between").first.fill("TEA-3, TEA-4")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The slot is saved.").wait_for()
    assert page.get_by_label("Share (per cent)").first.input_value() == "25"
    assert page.get_by_label("What is promoted").first.input_value() == "items"
    assert page.get_by_label("Filter, or item ids with commas between").first.input_value() == "TEA-3, TEA-4"


def test_a_marketer_drafts_but_does_not_start(window):
    page = window.enter("marketer").page
    page.goto("/campaigns/new")
    assert page.get_by_role("heading", name="New campaign").is_visible()
    page.goto("/keys", wait_until="commit")
    assert page.get_by_text("Your role does not allow this.").is_visible()
    window.complaints.clear()  # the browser tells of the 403 we asked for


def test_the_reference_of_a_service_is_readable_without_a_network(window):
    page = window.enter().page
    page.goto("/reference/profile")
    page.get_by_text("/v1/batch").first.wait_for()


def test_every_page_is_usable_by_everybody(window):
    assert window.enter().faults_on(PAGES) == {}


def test_pages_are_usable_in_the_dark(new_window):
    window = new_window(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    assert window.enter().faults_on(["/", "/customers/{mei}", "/segments/new"]) == {}


def test_on_a_phone_nothing_hangs_over_the_edge(new_window):
    window = new_window(**PHONE)
    page = window.enter().page
    wide = []
    for path in PAGES:
        page.goto(path.format(mei=window.shop.mei))
        page.wait_for_load_state("networkidle")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    assert wide == []
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("link", name="Segments").is_visible()
