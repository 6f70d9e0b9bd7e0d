"""Pages open whatever happens, in the visitor's language, and load nothing from elsewhere."""

import re
import shutil
from urllib.parse import urljoin

import pytest

from services.console.pages import shell
from tests.integration.console.test_roles import PAGES, address

OPENING = [endpoint for endpoint, permission in PAGES.items() if permission is not None]
# These are about one thing that only a sibling knows; without it there is nothing to show.
ABOUT_ONE = {
    "audiences.export",
    "campaigns.recipients",
    "campaigns.show",
    "catalogue.show",
    "drafting.comparison",
    "drafting.message",
    "drafting.whom",
    "reference.document",
    "segments.edit",
    "segments.show",
    "experiments.show",
    "models.show",
    "slots.edit",
    "templates.edit",
}


def opened(browser, services):
    """Every page that can be opened: endpoint -> reply."""
    app = services.api("console")._client.application
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    return {name: browser.get(address(rules[name])) for name in OPENING if name in rules}


def test_every_page_opens_while_no_other_service_answers(logged_in, services):
    replies = opened(logged_in("admin"), services)
    assert {name: reply.status_code for name, reply in replies.items() if name not in ABOUT_ONE} == dict.fromkeys(
        replies.keys() - ABOUT_ONE, 200
    )
    assert {replies[name].status_code for name in ABOUT_ONE} == {503}


def test_a_page_says_which_part_is_missing(logged_in):
    page = logged_in("admin").get("/").get_data(as_text=True)
    assert "The list of campaigns cannot be shown now" in page
    assert "The service “campaign” does not answer." in page


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(logged_in, services):
    for name, reply in opened(logged_in("admin"), services).items():
        page = reply.get_data(as_text=True)
        loaded = re.findall(r"<(?:script|link|img|iframe|form)[^>]+(?:src|href|action)=\"([^\"]+)\"", page)
        assert [one for one in loaded if not one.startswith("/") or one.startswith("//")] == [], name
        assert re.findall(r"<script(?![^>]*(?:src=|type=\"application/json\"))[^>]*>", page) == [], name
        assert re.findall(r"\sstyle=\"|\son\w+=\"|<style", page) == [], name


def test_the_browser_is_told_to_be_on_guard(browser):
    headers = browser.get("/login").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"


def test_https_is_remembered_by_the_browser(browser):
    reply = browser.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "max-age" in reply.headers["Strict-Transport-Security"]


def test_our_own_files_may_be_kept_for_they_change_their_address(browser):
    sheet = re.search(r'href="(/static/css/tokens.css\?v=\w+)"', browser.get("/login").get_data(as_text=True))[1]
    reply = browser.get(sheet)
    assert reply.status_code == 200
    assert "max-age=31536000" in reply.headers["Cache-Control"]
    reply.close()


def test_what_a_script_imports_changes_its_address_too(browser, tmp_path, monkeypatch):
    def address():
        shell.version_of_scripts.cache_clear()
        with browser.app.test_request_context():
            return shell.module("rules/builder.js")

    before = address()
    script = browser.get(before)
    imported = re.findall(r'from "(\./\w+\.js)"', script.get_data(as_text=True))
    script.close()
    assert "./elements.js" in imported
    for one in imported:
        reply = browser.get(urljoin(before, one))
        assert (reply.status_code, reply.mimetype) == (200, "text/javascript")
        assert "max-age=31536000" in reply.headers["Cache-Control"]
        reply.close()
    scripts = shutil.copytree(shell.STATIC / "js", tmp_path / "js")
    (scripts / "rules" / "elements.js").write_text("// changed")
    with monkeypatch.context() as patched:
        patched.setattr(shell, "STATIC", tmp_path)
        assert urljoin(address(), "./elements.js") != urljoin(before, "./elements.js")
        older = browser.get(before)  # while one release takes the place of another
        assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-store")
        older.close()
    assert address() == before


def test_a_script_that_imports_others_is_loaded_by_an_address_with_the_version_of_all():
    templates = shell.STATIC.parent / "templates"
    for path in templates.rglob("*.html"):
        for tag in re.findall(r"<script[^>]*type=.module.[^>]*>", path.read_text()):
            assert "{{ module(" in tag, path.name


def test_no_file_outside_of_the_folder_is_served(browser):
    of_scripts = [f"/static/scripts-1/{path}" for path in ("../../app.py", "%2e%2e/%2e%2e/app.py", "..%2f..%2fapp.py")]
    for path in (
        *of_scripts,
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/css/../../app.py",
    ):
        assert browser.get(path).status_code == 404


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_machines(browser):
    page = browser.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    for path in ("/v1/nowhere", "/nowhere"):
        problem = browser.get(path, headers={"Accept": "application/json"})
        assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")


def test_an_error_carries_the_number_that_finds_it_in_the_logs(logged_in):
    reply = logged_in("admin").get("/segments/01a20046-b1b0-718a-b984-577398a63af2")
    assert reply.status_code == 503
    page = reply.get_data(as_text=True)
    assert reply.headers["X-Request-Id"] in page
    assert "segmentation does not answer now." in page


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, "登录"),
        ({"Accept-Language": "en-GB,en;q=0.9,zh;q=0.8"}, "Log in"),
        ({"Accept-Language": "fr"}, "Log in"),
        ({}, "Log in"),
    ],
)
def test_the_first_page_speaks_the_language_of_the_browser(browser, headers, says):
    assert f"{says}</button>" in browser.get("/login", headers=headers).get_data(as_text=True)


def test_where_the_browser_has_no_wish_the_shops_language_is_spoken(browser, console_api):
    console_api.put("/v1/shop", json={"locale": "zh_Hans_CN"})
    assert "登录</button>" in browser.get("/login").get_data(as_text=True)


def test_the_chosen_language_stays(browser, new_browser, person):
    email = person()
    browser.get("/login")
    assert browser.post("/language", language="zh_Hans_CN", next="/login").headers["Location"] == "/login"
    page = browser.get("/login", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="zh-Hans">' in page
    browser.log_in(email)
    browser.post("/language", language="zh_Hans_CN", next="//evil.example")
    elsewhere = new_browser()
    elsewhere.log_in(email)
    assert "我的账户" in elsewhere.get("/account").get_data(as_text=True)


def test_a_language_that_is_none_changes_nothing(browser):
    browser.get("/login")
    browser.post("/language", language="tlh", next="/login")
    assert '<html lang="en">' in browser.get("/login").get_data(as_text=True)


def test_every_page_speaks_chinese(logged_in, services):
    browser = logged_in("admin")
    browser.post("/language", language="zh_Hans_CN")
    for name, reply in opened(browser, services).items():
        if reply.mimetype == "text/html" and reply.data:
            page = reply.get_data(as_text=True)
            assert re.search(r"[\u4e00-\u9fff]", page), name


def test_what_people_type_never_becomes_markup(logged_in, console_api):
    console_api.put("/v1/shop", json={"name": "<script>alert(1)</script>"})
    browser = logged_in("admin")
    for path in ("/", "/customers?q=<script>alert(1)</script>", "/recommendations?customer=<script>alert(1)</script>"):
        page = browser.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_health_and_the_openapi_document_need_no_session(console_api):
    anybody = console_api.as_key(None)
    assert anybody.get("/healthz").json == {"status": "ok", "service": "console"}
    document = anybody.get("/openapi.json").json
    assert {"/v1/shop", "/v1/keys", "/v1/audit"} <= document["paths"].keys()
