"""Getting in with two steps, and back in with a forgotten password, as a person does it."""

import email
import email.policy
import re
import time

import pyotp
import pytest

from tests.journey.platform import eventually, zhike

WANTED = "black tea at midnight"


@pytest.fixture
def colleague(tea_shop, worker_id):
    """Somebody new who works at the shop: address and first password."""
    address = f"li-{worker_id}@shop.example"
    return address, zhike(
        "users", "create", address, "--role", "viewer", "--data", str(tea_shop.platform.data)
    ).split()[-1]


def enter(page, address, password):
    page.goto("/login")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def log_out(page):
    page.locator("details.dropdown > summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")


def link_for(platform, address):
    """The link in the mail that came to an address, or None."""
    for path in sorted(platform.mail.rglob("*")):
        if path.is_file() and address.encode() in (raw := path.read_bytes()):
            text = email.message_from_bytes(raw, policy=email.policy.default).get_content()
            if found := re.search(r"https?://\S+/reset/\S+", text):
                return found[0]
    return None


def test_a_person_sets_up_the_second_step_and_gets_back_in_after_forgetting_the_password(window, colleague):
    page, (address, password) = window.page, colleague
    enter(page, address, password)
    page.wait_for_url(window.shop.url + "/")
    page.goto("/account/two-step")
    page.get_by_role("button", name="Set it up").click()
    assert page.locator(".qr svg").is_visible()
    assert window.faults() == []
    phone = pyotp.TOTP(page.locator("#secret").inner_text().replace(" ", ""))
    page.locator("#code").fill(phone.at(int(time.time()) - 30))
    page.get_by_role("button", name="Turn it on").click()
    assert page.locator(".recovery code").count() == 8
    recovery = page.locator(".recovery code").first.inner_text()
    assert window.faults() == []
    log_out(page)

    enter(page, address, password)
    page.locator("#code").wait_for()
    assert window.faults() == []
    page.locator("#code").fill(phone.now())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(window.shop.url + "/")
    log_out(page)

    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_text("a link is on its way").wait_for()
    page.goto(eventually(lambda: link_for(window.shop.platform, address)))
    assert window.faults() == []
    page.locator("#wanted").fill(WANTED)
    page.locator("#again").fill(WANTED)
    page.locator("#code").fill(recovery)
    page.get_by_role("button", name="Save the new password").click()
    page.get_by_text("Your password is changed. Log in with it.").wait_for()
    enter(page, address, WANTED)
    page.locator("#code").wait_for()
