"""A code besides the password."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from services.console.actions import two_step
from shared.crypto import unseal
from tests.integration.console.conftest import PASSWORD


class Phone:
    """An authenticator with somebody's secret. `later` moves its clock, to have another code without waiting."""

    def __init__(self, secret):
        self.secret = secret

    def code(self, later=0):
        return pyotp.TOTP(self.secret).at(datetime.now(UTC) + timedelta(seconds=later))


def set_up(browser):
    """Turn the second step on; the phone and the recovery codes."""
    browser.get("/account/two-step")
    browser.post("/account/two-step/begin")
    page = browser.get("/account/two-step").get_data(as_text=True)
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    phone = Phone(secret)
    # The code before this one, so that the present one is still unused.
    shown = browser.post("/account/two-step/confirm", code=phone.code(-30)).get_data(as_text=True)
    codes = re.findall(r"<li><code>([a-z0-9]{5}-[a-z0-9]{5})</code>", shown)
    return phone, codes


@pytest.fixture
def mei(new_browser, person):
    """Mei's address, her phone, her recovery codes, and a browser in which nobody is logged in."""
    email, browser = person("admin", "mei"), new_browser()
    browser.log_in(email)
    phone, codes = set_up(browser)
    return email, phone, codes, new_browser()


def asked_for_code(browser, email):
    reply = browser.log_in(email)
    return reply.status_code == 200 and 'name="code"' in reply.get_data(as_text=True)


def test_the_set_up_shows_a_picture_without_any_style_or_script(logged_in):
    browser = logged_in("viewer")
    browser.post("/account/two-step/begin")
    page = browser.get("/account/two-step").get_data(as_text=True)
    picture = re.search(r"<svg.*?</svg>", page, re.DOTALL)[0]
    assert "style" not in picture
    assert "<script" not in picture


def test_eight_recovery_codes_are_shown_once(mei, new_browser):
    email, phone, codes, _ = mei
    assert len(set(codes)) == 8
    browser = new_browser()
    browser.log_in(email)
    browser.post("/login/code", code=phone.code())
    assert not any(code in browser.get("/account/two-step").get_data(as_text=True) for code in codes)


def test_the_password_alone_opens_nothing_any_more(mei):
    email, _, _, browser = mei
    assert asked_for_code(browser, email)
    assert browser.cookie("session") is None
    assert browser.get("/account").status_code == 302


def test_password_and_code_open_the_console(mei):
    email, phone, _, browser = mei
    browser.log_in(email, next="/customers")
    reply = browser.post("/login/code", code=phone.code(), next="/customers")
    assert (reply.status_code, reply.headers["Location"]) == (302, "/customers")
    assert browser.get("/account").status_code == 200


def test_a_code_counts_once(mei, new_browser):
    email, phone, _, browser = mei
    code = phone.code()
    browser.log_in(email)
    assert browser.post("/login/code", code=code).status_code == 302
    other = new_browser()
    other.log_in(email)
    assert other.post("/login/code", code=code).status_code == 401
    assert other.get("/account").status_code == 302
    assert other.post("/login/code", code=phone.code(30)).status_code == 302


def test_an_older_code_does_not_count_after_a_newer_one(mei, new_browser):
    email, phone, _, browser = mei
    browser.log_in(email)
    assert browser.post("/login/code", code=phone.code(30)).status_code == 302
    other = new_browser()
    other.log_in(email)
    assert other.post("/login/code", code=phone.code()).status_code == 401


def test_a_recovery_code_gets_in_once(mei, new_browser, console_api):
    email, _, codes, browser = mei
    browser.log_in(email)
    assert browser.post("/login/code", code=codes[0].upper()).status_code == 302
    other = new_browser()
    other.log_in(email)
    assert other.post("/login/code", code=codes[0]).status_code == 401
    assert other.post("/login/code", code=codes[1]).status_code == 302
    used = console_api.get("/v1/audit", query_string={"action": "user.recovery_code_used"}).json["items"]
    assert [one["after"]["codes_left"] for one in used] == [6, 7]


def test_codes_are_guessed_at_no_more_often_than_passwords(mei, console_tx):
    email, phone, _, browser = mei
    browser.log_in(email)
    assert browser.post("/login/code", code="000000").status_code == 401
    console_tx.execute(
        "INSERT INTO login_attempt SELECT kind, subject, at FROM login_attempt, generate_series(1, 8)"
        " WHERE kind = 'user'"
    )
    assert browser.post("/login/code", code=phone.code()).status_code == 429


def test_a_right_password_does_not_clear_the_count_of_wrong_codes(mei, console_tx):
    email, _, _, browser = mei
    browser.log_in(email)
    browser.post("/login/code", code="000000")
    browser.log_in(email)
    assert console_tx.value("SELECT count(*) FROM login_attempt WHERE kind = 'user'") == 3


def test_nobody_skips_the_password(mei, new_browser):
    _, phone, _, browser = mei
    browser.get("/login")
    assert browser.post("/login/code", code=phone.code()).status_code == 401
    browser.set_cookie("step", "made-up")
    assert browser.post("/login/code", code=phone.code()).status_code == 401


def test_a_password_changed_between_the_steps_ends_the_log_in(mei, console_tx):
    email, phone, _, browser = mei
    browser.log_in(email)
    console_tx.execute("UPDATE console_user SET version = version + 1")
    assert browser.post("/login/code", code=phone.code()).status_code == 401


def test_turning_it_off_needs_the_password_and_a_code(mei):
    email, phone, codes, browser = mei
    browser.log_in(email)
    browser.post("/login/code", code=phone.code())
    browser.get("/account/two-step")
    for proof in ({"password": "guess", "code": phone.code(30)}, {"password": PASSWORD, "code": "000000"}):
        assert browser.post("/account/two-step/off", **proof).status_code == 422
    assert browser.post("/account/two-step/off", password=PASSWORD, code=codes[0]).status_code == 302
    browser.post("/logout")
    assert browser.log_in(email).status_code == 302


def test_new_recovery_codes_end_the_old_ones(mei, new_browser):
    email, phone, codes, browser = mei
    browser.log_in(email)
    browser.post("/login/code", code=phone.code())
    browser.get("/account/two-step")
    shown = browser.post("/account/two-step/codes", password=PASSWORD, code=phone.code(30)).get_data(as_text=True)
    fresh = re.findall(r"<li><code>([a-z0-9-]{11})</code>", shown)
    assert len(fresh) == 8
    assert not set(fresh) & set(codes)
    other = new_browser()
    other.log_in(email)
    assert other.post("/login/code", code=codes[0]).status_code == 401
    assert other.post("/login/code", code=fresh[0]).status_code == 302


def test_setting_it_up_logs_the_other_browsers_out(new_browser, person):
    email = person("viewer")
    here, elsewhere = new_browser(), new_browser()
    here.log_in(email)
    elsewhere.log_in(email)
    set_up(here)
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


def test_neither_secret_nor_recovery_codes_stand_in_the_database(mei, console_tx):
    _, phone, codes, _ = mei
    row = console_tx.one("SELECT totp_secret FROM console_user")
    assert unseal(row["totp_secret"]) == phone.secret
    raw = str(console_tx.all("SELECT * FROM recovery_code")) + str(console_tx.all("SELECT * FROM audit_log")) + str(row)
    assert phone.secret not in raw
    assert not any(code in raw or code.replace("-", "") in raw for code in codes)


def test_an_admin_takes_it_off_somebody_who_lost_it_and_they_are_told(mei, logged_in, console_tx):
    email, _, _, browser = mei
    admin = logged_in("admin")
    mei_id = console_tx.value("SELECT user_id FROM console_user ORDER BY user_id LIMIT 1")
    admin.get("/people")
    assert admin.post(f"/people/{mei_id}/two-step").status_code == 302
    told = []
    for _ in range(2):
        browser.get("/login")
        assert browser.post("/login", email=email, password=PASSWORD).status_code == 302
        told.append("An admin has reset your two-step log-in" in browser.get("/account").get_data(as_text=True))
        browser.post("/logout")
    assert told == [True, False]


def test_a_role_that_needs_it_sets_it_up_before_anything_else(logged_in, services, console_tx):
    operator, viewer = logged_in("operator"), logged_in("viewer")
    with services.acting("console"):
        two_step.require_of(["admin", "operator"])
    for path in ("/", "/keys", "/account"):
        assert operator.get(path).headers["Location"] == "/account/two-step"
    assert operator.post("/shop/sending", enabled="no").headers["Location"] == "/account/two-step"
    assert console_tx.value("SELECT sending_enabled FROM shop") is True
    assert viewer.get("/account").status_code == 200
    set_up(operator)
    assert operator.get("/account").status_code == 200


def test_an_admin_says_of_whom_it_is_needed(logged_in, console_api):
    admin = logged_in("admin")
    admin.get("/people")
    assert admin.post("/people/two-step-roles", role=["operator", "approver"]).status_code == 302
    entry = console_api.get("/v1/audit", query_string={"action": "access.update"}).json["items"][0]
    assert (entry["before"], entry["after"]) == (
        {"two_step_roles": []},
        {"two_step_roles": ["operator", "approver"]},
    )
    assert admin.post("/people/two-step-roles", role=["root"]).status_code == 422
