"""The sample shop: closed until somebody opens it, no secret in it, and nobody to be played but whom the shop names."""

import re

import pytest

from shared import auth

MEI = {"user_id": "mei", "label": "Mei, who drinks tea"}


@pytest.fixture
def open_shop(console_api):
    """Open the sample shop with these shoppers."""

    def make(*shoppers):
        reply = console_api.put("/v1/sample-shop", json={"open": True, "shoppers": list(shoppers)})
        assert reply.status_code == 200, reply.text
        return reply.json

    return make


def keys_in(page):
    return re.findall(r"zk_[\w-]+", page)


def test_the_sample_shop_is_closed_until_somebody_opens_it(browser, open_shop):
    reply = browser.get("/storefront")
    assert reply.status_code == 404
    assert keys_in(reply.get_data(as_text=True)) == []
    open_shop()
    assert browser.get("/storefront").status_code == 200


def test_the_keys_in_its_pages_are_safe_there_and_end_with_it(browser, open_shop, console_api, services):
    open_shop(MEI)
    found = keys_in(browser.get("/storefront").get_data(as_text=True))
    with services.acting("console"):
        callers = [auth.authenticate(key) for key in found]
    assert sorted(caller.key_kind for caller in callers) == ["collect", "storefront"]
    assert not any(caller.trusted for caller in callers)
    console_api.put("/v1/sample-shop", json={"open": False})
    assert browser.get("/storefront").status_code == 404
    with services.acting("console"):
        for key in found:
            with pytest.raises(auth.Unauthorized):
                auth.authenticate(key)


def test_it_opens_with_new_keys_after_one_was_revoked_by_hand(browser, open_shop, console_api):
    open_shop(MEI)
    first = keys_in(browser.get("/storefront").get_data(as_text=True))
    stored = [one for one in console_api.get("/v1/keys").json["items"] if one["name"] == "Sample shop"]
    console_api.delete(f"/v1/keys/{stored[0]['key_id']}")
    assert browser.get("/storefront").status_code == 404
    open_shop(MEI)
    assert not set(first) & set(keys_in(browser.get("/storefront").get_data(as_text=True)))


def test_search_engines_are_told_to_leave_it_alone(browser, open_shop):
    open_shop()
    reply = browser.get("/storefront")
    assert reply.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "A sample shop, to see recommendations at work." in reply.get_data(as_text=True)
    assert "script-src 'self';" in reply.headers["Content-Security-Policy"]


def test_nobody_can_be_played_but_whom_the_shop_has_named(browser, open_shop):
    open_shop(MEI)
    browser.get("/storefront")
    assert browser.post("/storefront/log-in", shopper="li").status_code == 404
    browser.set_cookie("shopper", "li")
    page = browser.get("/storefront").get_data(as_text=True)
    assert "You are a visitor whom nobody knows." in page
    assert "data-user" not in page
    browser.set_cookie("shopper", "mei")
    assert "You are Mei, who drinks tea." in browser.get("/storefront").get_data(as_text=True)


def test_a_log_in_from_a_page_that_is_not_ours_is_refused(browser, open_shop):
    open_shop(MEI)
    browser.get("/storefront")
    browser.token = "0" * 64
    assert browser.post("/storefront/log-in", shopper="mei").status_code == 403


def test_a_person_of_the_shop_opens_it_and_names_the_shoppers(logged_in, browser):
    admin = logged_in("admin")
    admin.get("/shop")
    told = admin.post("/shop/sample", open="yes", shoppers="mei Mei, who drinks tea\n\nli\n", version="1")
    assert told.status_code == 302
    page = browser.get("/storefront").get_data(as_text=True)
    assert re.findall(r'<option value="(\w+)">([^<]+)</option>', page) == [("mei", "Mei, who drinks tea"), ("li", "li")]
    admin.post("/shop/sample", open="no", shoppers="mei", version="1")
    assert "Somebody else changed the settings meanwhile." in admin.get("/shop").get_data(as_text=True)
    assert browser.get("/storefront").status_code == 200
