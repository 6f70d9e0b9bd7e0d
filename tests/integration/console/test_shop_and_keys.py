"""The shop's settings and API keys, over the API and in the pages."""

import hashlib
import re

import pytest

from shared.shop import read_shop


def test_the_settings_are_read_and_changed_with_their_version(console_api):
    read = console_api.get("/v1/shop")
    assert read.status_code == 200
    changed = console_api.put("/v1/shop", json={"name": "西湖知茶"}, headers={"If-Match": read.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.json["name"] == "西湖知茶"
    assert changed.json["version"] == read.json["version"] + 1
    assert changed.headers["ETag"] == f'"{changed.json["version"]}"'


@pytest.mark.parametrize("match", ['"0"', '"nonsense"', "W/x"])
def test_two_people_do_not_overwrite_each_other(console_api, match):
    reply = console_api.put("/v1/shop", json={"name": "Tea"}, headers={"If-Match": match})
    assert reply.status_code == 412
    assert reply.content_type == "application/problem+json"


def test_what_is_left_out_stays(console_api):
    console_api.put("/v1/shop", json={"name": "Tea House", "currency": "EUR"})
    reply = console_api.put("/v1/shop", json={"currency": "CNY"})
    assert (reply.json["name"], reply.json["currency"]) == ("Tea House", "CNY")


def test_saying_what_already_holds_changes_nothing(console_api):
    before = console_api.get("/v1/shop").json["version"]
    assert console_api.put("/v1/shop", json={"sending_enabled": True}).json["version"] == before


def test_the_other_services_read_what_was_set(console_api, profile_tx):
    settings = {
        "name": "Tea House",
        "public_url": "https://tea.example/",
        "allow_list": None,
        "business_clock": "2026-03-01T00:00:00+08:00",
        "sending_enabled": False,
    }
    assert console_api.put("/v1/shop", json=settings).status_code == 200
    seen = read_shop(profile_tx)
    assert (seen.name, seen.public_url, seen.allow_list, seen.sending_enabled) == (
        "Tea House",
        "https://tea.example",
        None,
        False,
    )
    assert seen.business_clock.isoformat() == "2026-02-28T16:00:00+00:00"


def test_a_business_clock_can_be_taken_away_again(console_api):
    console_api.put("/v1/shop", json={"business_clock": "2026-03-01T00:00:00Z"})
    assert console_api.put("/v1/shop", json={"business_clock": None}).json["business_clock"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Tea\r\nBcc: everybody@shop.example"),
        ("name", None),
        ("time_zone", "Hangzhou"),
        ("currency", "XXY"),
        ("currency", "cny"),
        ("locale", "fr"),
        ("region", "China"),
        ("public_url", "javascript:alert(1)"),
        ("public_url", "https://tea.example/?a=b"),
        ("public_url", "https://tea.example:port"),
        ("sender_email", "not an address"),
        ("sender_name", "Tea\nHouse"),
        ("allow_list", ["mei@shop.example", "nobody"]),
        ("allow_list", "mei@shop.example"),
        ("business_clock", "2026-03-01T00:00:00"),
        ("sending_enabled", "perhaps"),
        ("colour", "green"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_name(console_api, field, value):
    reply = console_api.put("/v1/shop", json={field: value})
    assert reply.status_code == 422
    assert reply.json["errors"][0]["path"].split(".")[0] == field


@pytest.mark.parametrize("kind", [None, "collect", "storefront", "server"])
@pytest.mark.parametrize("path", ["/v1/shop", "/v1/keys", "/v1/audit"])
def test_only_an_admin_key_opens_the_consoles_api(console_api, kind, path):
    assert console_api.as_key(kind).get(path).status_code == (401 if kind is None else 403)


def test_the_page_saves_what_is_typed(logged_in, console_api):
    browser = logged_in("operator")
    version = re.search(r'name="version" value="(\d+)"', browser.get("/shop").get_data(as_text=True))[1]
    typed = {
        "version": version,
        "name": "西湖知茶",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "locale": "zh_Hans_CN",
        "region": "CN",
        "audience": "list",
        "allow_list": "mei@shop.example\nli@shop.example",
        "business_clock": "2026-03-01T08:00",
    }
    assert browser.post("/shop", **typed).status_code == 302
    kept = console_api.get("/v1/shop").json
    assert kept["name"] == "西湖知茶"
    assert kept["allow_list"] == ["mei@shop.example", "li@shop.example"]
    assert kept["business_clock"] == "2026-03-01T00:00:00+00:00"
    assert browser.post("/shop", **typed).status_code == 412
    page = browser.get("/").get_data(as_text=True)
    assert "业务时钟固定在" in page


def test_what_is_typed_wrongly_is_shown_again_with_the_reason(logged_in):
    browser = logged_in("operator")
    browser.get("/shop")
    reply = browser.post("/shop", name="Tea", time_zone="Hangzhou", currency="CNY", locale="en", region="CN")
    assert reply.status_code == 422
    page = reply.get_data(as_text=True)
    assert "Choose a time zone from the list" in page
    assert 'value="Hangzhou"' in page


def test_one_switch_stops_all_sending_and_every_page_says_so(logged_in, console_api):
    browser = logged_in("admin")
    browser.get("/shop")
    browser.post("/shop/sending", enabled="no")
    assert console_api.get("/v1/shop").json["sending_enabled"] is False
    assert "All sending is stopped." in browser.get("/account").get_data(as_text=True)


def test_a_key_is_shown_once_and_kept_as_a_hash(console_api, console_tx):
    made = console_api.post("/v1/keys", json={"name": "Web shop", "kind": "collect"})
    assert made.status_code == 201
    secret = made.json["secret"]
    assert re.fullmatch(r"zk_collect_[\w-]{43}", secret)
    kept = console_tx.one("SELECT key_hash, hint FROM api_key WHERE key_id = %(id)s", {"id": made.json["key_id"]})
    assert bytes(kept["key_hash"]) == hashlib.sha256(secret.encode()).digest()
    assert secret not in console_api.get("/v1/keys").get_data(as_text=True)
    assert console_api.get("/v1/keys").json["items"][0]["hint"] == kept["hint"] == secret[:15]


def test_a_revoked_key_opens_nothing_any_more(console_api):
    made = console_api.post("/v1/keys", json={"name": "Backup", "kind": "admin"}).json
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    assert console_api.get("/v1/shop", headers=bearer).status_code == 200
    for _twice in range(2):
        assert console_api.delete(f"/v1/keys/{made['key_id']}").json["revoked_at"]
    refused = console_api.get("/v1/shop", headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (401, "key_invalid")


def test_a_key_that_is_none_cannot_be_revoked(console_api):
    assert console_api.delete("/v1/keys/01a20046-b1b0-718a-b984-577398a63af2").status_code == 404


@pytest.mark.parametrize("key", [{"name": "x", "kind": "root"}, {"name": "", "kind": "collect"}, {"kind": "collect"}])
def test_a_key_needs_a_name_and_a_kind(console_api, key):
    assert console_api.post("/v1/keys", json=key).status_code == 422


def test_the_page_makes_and_revokes_keys(logged_in, console_tx):
    browser = logged_in("operator")
    browser.get("/keys")
    page = browser.post("/keys", name="<b>Web</b> shop", kind="collect").get_data(as_text=True)
    secret = re.search(r'id="secret">(zk_collect_[\w-]{43})<', page)[1]
    assert "&lt;b&gt;Web&lt;/b&gt; shop" in page
    key_id = console_tx.value("SELECT key_id FROM api_key WHERE kind = 'collect'")
    assert secret not in browser.get("/keys").get_data(as_text=True)
    browser.post(f"/keys/{key_id}/revoke")
    assert console_tx.value("SELECT revoked_at IS NOT NULL FROM api_key WHERE key_id = %(id)s", {"id": key_id})
