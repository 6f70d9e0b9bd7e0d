"""Who changed what."""

from shared import audit
from shared.database import transaction


def noted(services, *entries):
    """Entries as the console writes them."""
    with services.acting("console"), transaction() as tx:
        for entry in entries:
            audit.record(tx, *entry)


def entries(console_api, **query):
    return console_api.get("/v1/audit", query_string=query).json["items"]


def test_a_change_is_written_down_with_before_and_after(console_api):
    console_api.put("/v1/shop", json={"name": "Tea House"}, headers={"X-Request-Id": "tea-1"})
    entry = entries(console_api, subject_kind="shop")[0]
    assert (entry["action"], entry["actor_kind"], entry["actor_name"]) == ("shop.update", "key", "test admin")
    assert entry["after"] == {"name": "Tea House"}
    assert entry["before"]["name"] != "Tea House"
    assert entry["request_id"] == "tea-1"


def test_what_a_person_does_is_written_down_under_their_address(logged_in, console_api):
    browser = logged_in("operator")
    browser.get("/shop")
    browser.post("/shop/sending", enabled="no")
    entry = entries(console_api, subject_kind="shop")[0]
    assert (entry["actor_kind"], entry["actor_name"]) == ("user", "operator@shop.example")
    assert entry["after"] == {"sending_enabled": False}


def test_addresses_are_sealed_in_the_log_and_opened_for_its_readers(logged_in, console_api, console_tx):
    logged_in("admin").post("/people", email="li@shop.example", role="viewer")
    console_api.put("/v1/shop", json={"allow_list": ["mei@shop.example"]})
    raw = str(console_tx.all("SELECT actor_name, before, after FROM audit_log"))
    assert "@shop.example" not in raw
    told = str(entries(console_api))
    assert "li@shop.example" in told
    assert "mei@shop.example" in told


def test_no_secret_ever_stands_in_the_log(logged_in, console_api, console_tx):
    secret = console_api.post("/v1/keys", json={"name": "Web shop", "kind": "server"}).json["secret"]
    logged_in("admin").post("/people", email="li@shop.example", role="viewer")
    raw = str(console_tx.all("SELECT actor_name, before, after FROM audit_log"))
    assert secret not in raw
    assert "argon2" not in raw


def test_the_log_is_read_in_pages_from_the_newest_on(console_api, services):
    noted(services, *[("segment.create", ("segment", n)) for n in range(5)])
    first = console_api.get("/v1/audit", query_string={"limit": 2, "subject_kind": "segment"}).json
    second = console_api.get(
        "/v1/audit", query_string={"limit": 2, "subject_kind": "segment", "cursor": first["next_cursor"]}
    ).json
    assert [one["subject_id"] for one in first["items"] + second["items"]] == ["4", "3", "2", "1"]


def test_a_cursor_that_is_none_is_refused(console_api):
    for cursor in ("nonsense", "WzFd", "WyJub3QgYW4gaWQiXQ", "WzEsMl0"):
        reply = console_api.get("/v1/audit", query_string={"cursor": cursor})
        assert (reply.status_code, reply.json["code"]) == (400, "bad_cursor")


def test_the_page_shows_whatever_a_change_was_about(logged_in, services):
    before = {"name": "Spring", "rule": {"all": [{"feature": "orders"}]}, "gone": None}
    after = {"rule": {"any": []}, "holdout_share": 0.1, "replay": False, "items": ["TEA-1"], "new": None}
    noted(services, ("campaign.update", ("campaign", "1"), before, after), ("something.new", ("thing", "2"), None, {}))
    page = logged_in("admin").get("/audit")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "Control group" in text
    assert "something.new" in text


def test_the_page_tells_it_in_words(logged_in):
    browser = logged_in("operator")
    browser.get("/shop")
    browser.post("/shop/sending", enabled="no")
    page = browser.get("/audit").get_data(as_text=True)
    assert "changed the shop settings" in page
    assert "operator@shop.example" in page
