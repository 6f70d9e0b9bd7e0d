"""Forms that do more than one thing at once: many events tried again, variants of an experiment, a letter's slot."""

DESK = {"viewport": {"width": 1440, "height": 900}}


def test_all_rejected_events_are_tried_again_part_by_part_while_one_looks_on(window):
    platform = window.shop.platform
    nameless = [{"type": "track", "userId": "mei", "properties": {"n": n}} for n in range(1010)]
    for start in range(0, len(nameless), 505):
        platform.call("POST", "/v1/batch", "server", json={"batch": nameless[start : start + 505]})
    page = window.enter().page
    page.goto("/rejected")
    with page.expect_response(lambda reply: "/system/replay" in reply.url and "replaying" in reply.text()):
        page.get_by_role("button", name="Retry all").click()
    page.wait_for_url("**/rejected")
    refused = page.get_by_text("were refused again.")
    assert int(refused.inner_text().split()[0].replace(",", "")) >= 1010


def test_a_marketer_starts_an_experiment_in_which_one_variant_has_its_own_number_and_filter(new_window):
    window = new_window(**DESK).enter("marketer")
    page, platform = window.page, window.shop.platform
    name = f"try-{window.shop.mei[-6:]}"
    platform.put(f"/v1/slots/{name}", {"strategy": "popular", "n": 6})
    page.goto(f"/experiments/{name}")
    second = page.get_by_role("group", name="Variant 2")
    second.get_by_label("Strategy").select_option("new_arrivals")
    second.get_by_text("What else differs").click()
    assert not second.get_by_label("How many", exact=True).nth(1).is_visible()
    second.get_by_role("checkbox", name="How many").check()
    second.get_by_role("checkbox", name="Filter", exact=True).check()
    second.locator("input[name=v1_n]").fill("3")
    second.locator("textarea[name=v1_where]").fill("price <")
    page.get_by_role("button", name="Start an experiment").click()
    page.get_by_text("Something in this form is not right").wait_for()
    assert "422" in window.complaints.pop()  # the browser's own word about the page that says so
    assert second.locator("input[name=v1_n]").input_value() == "3"
    second.locator("textarea[name=v1_where]").fill("price < 100")
    page.get_by_role("button", name="Start an experiment").click()
    page.get_by_text("The experiment runs.").wait_for()
    assert page.get_by_text("New in the shop · How many: 3 · Filter: price < 100").is_visible()
    control, other = platform.get(f"/v1/slots/{name}")["experiment"]["variants"]
    assert "overrides" not in control
    assert other["overrides"] == {"n": 3, "where": "price < 100"}


def test_a_marketer_has_a_letter_filled_by_a_slot(new_window):
    window = new_window(**DESK).enter("marketer")
    page, platform = window.page, window.shop.platform
    everybody = {"trait": "city", "op": "=", "value": "杭州"}
    segment = platform.post("/v1/segments", {"name": f"Letter {window.shop.mei[-6:]}", "rule": everybody})
    template = platform.post("/v1/templates", {"name": "Letter", "subject": "Tea", "html": "<p>Tea</p>"})
    made = {"name": "Letter", "segment_id": segment["segment_id"], "template_id": template["template_id"]}
    campaign = platform.post("/v1/campaigns", made)["campaign_id"]
    page.goto(f"/campaigns/{campaign}/message")
    assert page.get_by_label("Filled by").input_value() == ""
    page.get_by_label("Filled by").select_option("email")
    page.get_by_label("Items").fill("0")
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/comparison")
    found = platform.get(f"/v1/campaigns/{campaign}")
    assert (found["recommend_slot"], found["recommend_n"]) == ("email", 0)
    page.goto(f"/campaigns/{campaign}")
    assert page.get_by_text("as many as the slot has").is_visible()
