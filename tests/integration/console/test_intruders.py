"""People who try to get more out of the console than their role gives, or to have somebody else do it for them."""

from dataclasses import replace

import pytest

from services.console import app as console
from services.console.domain.permissions import ROLES
from shared import contracts
from tests.conftest import ServiceApi
from tests.integration.console.conftest import Browser

SCRIPT = "<script>alert('tea')</script>"
QUOTED = "\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("kind", contracts.KEY_SCOPES)
@pytest.mark.parametrize("role", ROLES)
def test_nobody_gets_through_a_key_what_their_role_does_not_give(logged_in, console_tx, role, kind):
    made = logged_in(role).post("/keys", name="Back door", kind=kind).status_code == 200
    assert made == (role == "admin" or (role == "operator" and kind in ("collect", "storefront")))
    assert console_tx.value("SELECT count(*) FROM api_key WHERE name = 'Back door'") == made


def test_an_operator_is_offered_only_the_keys_they_may_make(logged_in):
    page = logged_in("operator").get("/keys").get_data(as_text=True)
    assert 'value="collect"' in page
    assert 'value="server"' not in page
    assert 'value="admin"' not in page


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_nobody_but_an_admin_gives_themselves_another_role(logged_in, console_tx, role):
    browser = logged_in(role)
    me = console_tx.value("SELECT user_id FROM console_user")
    assert browser.post(f"/people/{me}/role", role="admin").status_code == 403
    assert console_tx.value("SELECT role FROM console_user") == role


@pytest.mark.parametrize("text", [SCRIPT, QUOTED], ids=["script", "attribute"])
@pytest.mark.parametrize(
    "address",
    [
        "/customers?q={}",
        "/login?next={}",
        "/segments?cursor={}",
        "/templates?cursor={}",
        "/audit?kind={}",
        "/{}",
        "/reference/{}",
    ],
)
def test_what_stands_in_an_address_is_never_markup_of_the_page(logged_in, address, text):
    from urllib.parse import quote

    page = logged_in("admin").get(address.format(quote(text, safe=""))).get_data(as_text=True)
    assert text not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("text", [SCRIPT, QUOTED], ids=["script", "attribute"])
def test_what_is_typed_into_a_form_that_is_refused_is_never_markup(logged_in, new_browser, text):
    browser = logged_in("admin")
    forms = {
        "/shop": {"name": text, "public_url": text, "time_zone": text},
        "/people": {"email": text, "role": text},
        "/keys": {"name": "", "kind": text},
        "/segments": {"name": text, "description": text, "rule": text},
        "/templates": {"name": text, "subject": text, "html": text},
        "/segments/preview": {"rule": text},
    }
    for path, fields in forms.items():
        page = browser.post(path, **fields).get_data(as_text=True)
        assert text not in page, path
    stranger = new_browser()
    stranger.get("/login")
    assert text not in stranger.post("/login", email=text, password="x", next=text).get_data(as_text=True)


def test_the_name_of_the_host_somebody_sends_appears_nowhere(browser):
    for path in ("/login", "/", "/customers", "/nothing-here"):
        reply = browser.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in reply.get_data(as_text=True) + str(reply.headers)


@pytest.fixture
def behind_tls(services):
    """The console of an installation whose public address is https, asked by plain http from what ends TLS."""
    app = console.create_app(replace(services.settings("console"), public_url="https://zhike.example"))
    browser = Browser(services)
    browser._api = ServiceApi(services, "console", app.test_client(), None)
    return browser


def test_where_tls_ends_before_us_cookies_are_secure_and_https_is_remembered(behind_tls, person):
    reply = behind_tls._api.get("/login")
    assert "max-age" in reply.headers["Strict-Transport-Security"]
    cookies = reply.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(cookie.split("; ")), cookie


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/shared/config.py", "/static//etc/passwd"],
)
def test_no_way_leads_out_of_the_folder_of_static_files(browser, path):
    assert browser.get(path).status_code in (302, 308, 404)
    assert "import" not in browser.get(path, follow_redirects=True).get_data(as_text=True)


@pytest.mark.parametrize("service", ["..", "..%2f..%2fshop", "profile%2f..%2f..%2fv1%2fkeys", "127.0.0.1:1"])
def test_the_reference_asks_no_address_but_those_of_the_services(logged_in, service):
    reply = logged_in("viewer").get(f"/reference/{service}/openapi.json")
    assert reply.status_code in (404, 503)
