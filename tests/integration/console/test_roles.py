"""Every page knows who may see it, and every form which page it came from."""

import re

import pytest

from services.console.domain.permissions import PERMISSIONS, ROLES

ID = "01a20046-b1b0-718a-b984-577398a63af2"

# Endpoint -> the permission it needs; "" for everybody who is logged in, None for everybody.
PAGES = {
    "account.change_password": "",
    "account.end_sessions": "",
    "account.show": "",
    "audit.export": "audit:export",
    "audit.index": "audit:read",
    "campaigns.cancel": "campaigns:stop",
    "campaigns.delete": "campaigns:write",
    "audiences.export": "audiences:read",
    "audiences.index": "audiences:read",
    "audiences.keep": "audiences:read",
    "audiences.result": "audiences:read",
    "campaigns.index": "campaigns:read",
    "campaigns.pause": "campaigns:stop",
    "campaigns.preview": "campaigns:read",
    "campaigns.recipients": "campaigns:read",
    "campaigns.resume": "campaigns:start",
    "campaigns.schedule": "campaigns:start",
    "campaigns.send_test": "campaigns:write",
    "campaigns.show": "campaigns:read",
    "catalogue.index": "items:read",
    "catalogue.save": "items:write",
    "catalogue.show": "items:read",
    "customers.events": "customers:read",
    "customers.search": "customers:read",
    "customers.set_consent": "consents:write",
    "customers.show": "customers:read",
    "customers.undo_merge": "customers:write",
    "drafting.comparison": "campaigns:write",
    "drafting.create": "campaigns:write",
    "drafting.message": "campaigns:write",
    "drafting.new": "campaigns:write",
    "drafting.save_comparison": "campaigns:write",
    "drafting.save_message": "campaigns:write",
    "drafting.save_whom": "campaigns:write",
    "drafting.whom": "campaigns:write",
    "experiments.index": "slots:read",
    "experiments.show": "slots:read",
    "experiments.start": "slots:write",
    "experiments.stop": "slots:write",
    "models.index": "models:read",
    "models.restore": "models:train",
    "models.show": "models:read",
    "keys.create": "keys:write",
    "keys.index": "keys:write",
    "keys.revoke": "keys:write",
    "language.choose": None,
    "login.enter": None,
    "login.enter_code": None,
    "login.form": None,
    "login.leave": "",
    "overview.compute": "scores:compute",
    "overview.show": "overview:read",
    "recommendations.of_customer": "recommendations:read",
    "recommendations.show": "recommendations:read",
    "recommendations.train": "models:train",
    "reference.document": "",
    "reference.index": "",
    "reference.show": "",
    "rejected.index": "events:read",
    "rejected.replay": "events:replay",
    "reset.ask": None,
    "reset.finish": None,
    "reset.forgot": None,
    "reset.form": None,
    "sample_shop.save": "shop:write",
    "segments.create": "segments:write",
    "segments.delete": "segments:write",
    "segments.edit": "segments:write",
    "segments.index": "segments:read",
    "segments.new": "segments:write",
    "segments.preview": "segments:read",
    "segments.show": "segments:read",
    "segments.update": "segments:write",
    "shop.save": "shop:write",
    "shop.save_policy": "policy:write",
    "shop.show": "shop:read",
    "shop.switch_sending": "shop:write",
    "slots.create": "slots:write",
    "slots.delete": "slots:write",
    "slots.edit": "slots:read",
    "slots.index": "slots:read",
    "slots.new": "slots:write",
    "slots.preview": "slots:read",
    "slots.update": "slots:write",
    **{
        f"storefront.{name}": None
        for name in ("cart", "categories", "category", "home", "item", "log_in", "log_out", "search")
    },
    "system.now": "system:read",
    "system.replay": "events:replay",
    "system.show": "system:read",
    "templates.create": "campaigns:write",
    "templates.delete": "campaigns:write",
    "templates.edit": "campaigns:read",
    "templates.frame": "campaigns:read",
    "templates.index": "campaigns:read",
    "templates.new": "campaigns:write",
    "templates.preview": "campaigns:read",
    "templates.update": "campaigns:write",
    "two_step.begin": "",
    "two_step.confirm": "",
    "two_step.renew_codes": "",
    "two_step.show": "",
    "two_step.turn_off": "",
    "users.change_role": "users:write",
    "users.create": "users:write",
    "users.disable": "users:write",
    "users.index": "users:write",
    "users.require_two_step": "users:write",
    "users.reset_link": "users:write",
    "users.reset_two_step": "users:write",
    "widget.script": None,
}
OPERATIONS = {f"operations.{name}" for name in ("healthz", "readyz", "metrics", "get_metrics", "statusz", "docs")}
OPEN = {"static", "scripts", *OPERATIONS}


def guards(app):
    """What guards each endpoint of the app's pages."""
    pages = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.rule.startswith("/v1/") or rule.endpoint in OPEN or rule.endpoint.startswith("api-docs"):
            continue
        pages[rule.endpoint] = getattr(view, "guard", "unguarded")
    return pages


def address(rule):
    """An address of a route, with something in every place of it."""
    filled = re.sub(r"<uuid:\w+>", ID, rule.rule)
    return re.sub(r"<\w+>", "console", filled)


def test_every_page_needs_the_permission_it_is_said_to_need(services):
    app = services.api("console")._client.application
    wanted = {
        endpoint: "public" if permission is None else f"session:{permission or 'anyone'}"
        for endpoint, permission in PAGES.items()
    }
    assert guards(app) == wanted


def test_every_route_of_the_api_is_guarded(services):
    app = services.api("console")._client.application
    unguarded = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if not hasattr(app.view_functions[rule.endpoint], "guard") and not rule.endpoint.startswith("api-docs")
    ]
    assert unguarded == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_it_may_and_nothing_else(logged_in, services, role):
    browser = logged_in(role)
    app = services.api("console")._client.application
    wrong = []
    for rule in app.url_map.iter_rules():
        permission = PAGES.get(rule.endpoint)
        if permission is None or rule.endpoint == "login.leave":
            continue
        method = "POST" if "POST" in rule.methods else "GET"
        reply = browser.post(address(rule)) if method == "POST" else browser._api.get(address(rule))
        may = permission == "" or permission in PERMISSIONS[role]
        if (reply.status_code != 403) != may:
            wrong.append((rule.endpoint, reply.status_code))
    assert wrong == []


def test_nobody_reaches_anything_without_logging_in(browser, services):
    app = services.api("console")._client.application
    browser.get("/login")
    entered = []
    for rule in app.url_map.iter_rules():
        if PAGES.get(rule.endpoint) is None:
            continue
        reply = browser.post(address(rule)) if "POST" in rule.methods else browser._api.get(address(rule))
        if reply.status_code != 302 or not reply.headers["Location"].startswith("/login"):
            entered.append((rule.endpoint, reply.status_code))
    assert entered == []


def test_no_form_is_taken_without_the_token_of_its_page(logged_in, services):
    browser = logged_in("admin")
    app = services.api("console")._client.application
    taken = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PAGES and "POST" in rule.methods:
            for token in ("", "0" * 64):
                reply = browser.post(address(rule), csrf_token=token)
                if reply.status_code != 403:
                    taken.append((rule.endpoint, reply.status_code))
    assert taken == []


def test_the_token_of_another_browser_is_worth_nothing(logged_in):
    mine, theirs = logged_in("admin"), logged_in("operator")
    assert mine.post("/shop/sending", enabled="no", csrf_token=theirs.token).status_code == 403
    assert mine.post("/shop/sending", enabled="no").status_code == 302


def test_the_token_of_the_login_page_is_worth_nothing_after_it(new_browser, person):
    browser = new_browser()
    browser.get("/login")
    before = browser.token
    browser.log_in(person())
    assert browser.post("/shop/sending", enabled="no", csrf_token=before).status_code == 403


def test_htmx_sends_the_token_as_a_header(logged_in):
    browser = logged_in("admin")
    headers = {"X-CSRF-Token": browser.token}
    reply = browser.post("/segments/preview", csrf_token="", rule="{", options={"headers": headers})
    assert reply.status_code == 200


def test_a_role_that_may_not_is_told_so_in_words(logged_in):
    reply = logged_in("viewer").get("/keys")
    assert reply.status_code == 403
    assert "Your role does not allow this." in reply.get_data(as_text=True)


def test_the_menu_offers_only_what_opens(logged_in):
    menu = re.findall(r'<li><a href="([^"]+)"', logged_in("viewer").get("/account").get_data(as_text=True))
    assert menu == ["/", "/customers", "/segments", "/campaigns", "/templates", "/recommendations", "/reference"]
