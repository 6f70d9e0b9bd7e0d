"""Forgotten passwords, and being logged in at several places."""

import re
from dataclasses import replace

import pytest

from services.console.actions import resets, users
from services.console.channels import mail
from tests.integration.campaign import mailbox as mailboxes
from tests.integration.console.conftest import PASSWORD
from tests.integration.console.test_two_step import set_up

WANTED = "black tea at midnight"


@pytest.fixture
def mailbox(services, console_api):
    """A shop that can send mail, and where it arrives."""
    console_api.put("/v1/shop", json={"sender_email": "tea@shop.example", "sender_name": "西湖知茶", "allow_list": []})
    with mailboxes.running() as box:
        yield box
        mail.configure(services.settings("console"))


@pytest.fixture
def reset(services, browser, mailbox):
    """Ask for a link as a visitor and let the worker work; the path of the link that came, if one came."""

    def ask(email, who=browser, **form):
        # Every app that a test opens configures this process anew.
        around = replace(services.settings("console"), smtp_url=mailbox.url, public_url="https://console.example")
        mail.configure(around)
        who.get("/forgot")
        before = len(mailbox.mails)
        reply = who.post("/forgot", email=email, **form)
        with services.acting("console"):
            resets.send_due()
        if len(mailbox.mails) == before:
            return reply, None
        text = mailbox.parsed()[email].get_content()
        return reply, re.search(r"https://console\.example(/reset/\S+)", text)[1]

    return ask


def test_a_link_comes_by_mail_and_gives_another_password(reset, browser, person):
    email = person("analyst")
    _, path = reset(email)
    browser.get(path)
    assert browser.post(path, wanted=WANTED, again=WANTED).headers["Location"] == "/login"
    assert browser.log_in(email).status_code == 401
    assert browser.log_in(email, WANTED).status_code == 302


def test_the_answer_is_the_same_whoever_asks(reset, person, mailbox, console_tx):
    email = person("analyst")
    known, path = reset(email)
    unknown, none = reset("nobody@shop.example")
    console_tx.execute("UPDATE console_user SET disabled_at = now()")
    disabled, neither = reset(email)
    assert path
    assert none is neither is None
    texts = {re.sub(r'value="[0-9a-f]{64}"', "", one.get_data(as_text=True)) for one in (known, unknown, disabled)}
    # But for the number of the request the pages are the same to the letter.
    assert len(texts) == 1
    assert {one.status_code for one in (known, unknown, disabled)} == {200}


def test_a_link_works_once(reset, browser, person):
    _, path = reset(person("analyst"))
    browser.get(path)
    browser.post(path, wanted=WANTED, again=WANTED)
    assert browser.get(path).status_code == 404
    assert browser.post(path, wanted=PASSWORD, again=PASSWORD).status_code == 404


def test_a_link_ends_after_half_an_hour(reset, browser, person, console_tx):
    _, path = reset(person("analyst"))
    console_tx.execute("UPDATE password_reset SET expires_at = expires_at - interval '30 minutes'")
    assert browser.get(path).status_code == 404
    assert browser.post(path, wanted=WANTED, again=WANTED).status_code == 404


def test_looking_at_a_link_does_not_use_it_up(reset, browser, person):
    _, path = reset(person("analyst"))
    assert [browser.get(path).status_code for _ in range(3)] == [200, 200, 200]


def test_using_a_link_ends_every_session_and_every_other_link(reset, browser, new_browser, person):
    email, elsewhere = person("analyst"), new_browser()
    elsewhere.log_in(email)
    _, first = reset(email)
    _, second = reset(email)
    browser.get(second)
    browser.post(second, wanted=WANTED, again=WANTED)
    assert elsewhere.get("/account").status_code == 302
    assert browser.get(first).status_code == 404


def test_with_the_second_step_on_a_link_needs_a_code_too(reset, browser, new_browser, person):
    email, own = person("analyst"), new_browser()
    own.log_in(email)
    phone, _ = set_up(own)
    _, path = reset(email)
    assert 'name="code"' in browser.get(path).get_data(as_text=True)
    assert browser.post(path, wanted=WANTED, again=WANTED).status_code == 422
    assert browser.post(path, wanted=WANTED, again=WANTED, code="000000").status_code == 422
    assert browser.get(path).status_code == 200
    assert browser.post(path, wanted=WANTED, again=WANTED, code=phone.code()).status_code == 302


def test_a_person_gets_few_mails_however_often_somebody_asks(reset, person, mailbox):
    email = person("analyst")
    replies = [reset(email)[0].status_code for _ in range(5)]
    assert replies == [200] * 5
    assert len(mailbox.mails) == 3


def test_an_address_that_asks_for_many_people_is_told_to_wait(reset, browser, console_tx, person):
    reset("nobody@shop.example")
    console_tx.execute(
        "INSERT INTO login_attempt SELECT kind, subject, at FROM login_attempt, generate_series(2, 20)"
        " WHERE kind = 'reset_address'"
    )
    reply, path = reset(person("analyst"))
    assert (reply.status_code, path) == (429, None)


def test_asking_for_a_link_does_not_lock_anybody_out(reset, browser, person):
    email = person("analyst")
    for _ in range(5):
        reset(email)
    assert browser.log_in(email).status_code == 302


def test_no_database_row_opens_an_account(reset, person, console_tx):
    _, path = reset(person("analyst"))
    token = path.rpartition("/")[2]
    tables = ("password_reset", "reset_request", "audit_log", "login_attempt")
    assert not any(token in str(console_tx.all(f"SELECT * FROM {table}")) for table in tables)


@pytest.mark.parametrize(("language", "word"), [("zh_Hans_CN", "重置您在"), ("en", "Reset your password")])
def test_the_mail_is_in_the_language_of_the_person(reset, person, mailbox, console_tx, language, word):
    email = person("analyst")
    console_tx.execute("UPDATE console_user SET language = %(language)s", {"language": language})
    reset(email)
    assert mailbox.parsed()[email]["Subject"].startswith(word)
    assert "西湖知茶" in str(mailbox.parsed()[email]["From"])


def test_neither_allow_list_nor_stop_keep_a_colleague_out(reset, person, console_api):
    console_api.put("/v1/shop", json={"sending_enabled": False})
    assert reset(person("analyst"))[1]


def test_a_link_leads_to_the_console_whatever_host_was_asked(reset, browser, person):
    _, path = reset(person("analyst"), options={"headers": {"X-Forwarded-Host": "evil.example"}})
    assert path


def test_a_mail_that_was_refused_is_tried_again(services, reset, person, mailbox, console_tx):
    email = person("analyst")
    mailbox.refuse_recipient[email] = "451 later"
    assert reset(email)[1] is None
    assert console_tx.value("SELECT attempts FROM reset_request") == 1
    mailbox.refuse_recipient.clear()
    console_tx.execute("UPDATE reset_request SET due_at = now()")
    with services.acting("console"):
        assert resets.send_due() == 1
    assert mailbox.recipients() == {email: 1}
    assert console_tx.value("SELECT count(*) FROM reset_request") == 0


def test_without_a_mail_server_the_page_says_whom_to_ask(browser, console_tx):
    console_tx.execute("UPDATE shop SET sender_email = ''")
    assert "Ask an admin" in browser.get("/forgot").get_data(as_text=True)
    assert browser.post("/forgot", email="mei@shop.example").status_code == 200
    assert console_tx.value("SELECT count(*) FROM reset_request") == 0


def test_an_admin_makes_a_link_that_is_shown_once(logged_in, new_browser, person, console_tx):
    admin, browser = logged_in("admin"), new_browser()
    email = person("viewer")
    viewer = console_tx.value("SELECT user_id FROM console_user WHERE role = 'viewer'")
    admin.get("/people")
    shown = admin.post(f"/people/{viewer}/reset-link").get_data(as_text=True)
    path = re.search(r'id="secret">http://127\.0\.0\.1:9(/reset/[^<]+)<', shown)[1]
    assert path not in admin.get("/people").get_data(as_text=True)
    browser.get(path)
    assert browser.post(path, wanted=WANTED, again=WANTED).status_code == 302
    assert browser.log_in(email, WANTED).status_code == 302


def test_a_new_password_is_held_to_the_same_rules(reset, browser, person):
    _, path = reset(person("analyst"))
    browser.get(path)
    assert browser.post(path, wanted="short", again="short").status_code == 422
    assert browser.post(path, wanted=WANTED, again=WANTED + "!").status_code == 422
    assert browser.post(path, wanted=WANTED, again=WANTED).status_code == 302


def test_a_person_sees_where_they_are_logged_in_and_ends_the_others(new_browser, person, console_tx):
    email, here, elsewhere, third = person("viewer"), new_browser(), new_browser(), new_browser()
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    here.log_in(email)
    elsewhere.log_in(email, options={"headers": {"User-Agent": firefox}})
    third.log_in(email)
    page = here.get("/account").get_data(as_text=True)
    assert "Firefox · Linux" in page
    one = re.search(r'name="session_id" value="([0-9a-f-]+)"', page)[1]
    assert here.post("/account/sessions", session_id=one).status_code == 302
    assert console_tx.value("SELECT count(*) FROM session") == 2
    assert here.post("/account/sessions").status_code == 302
    assert here.get("/account").status_code == 200
    assert [browser.get("/account").status_code for browser in (elsewhere, third)] == [302, 302]


def test_nobody_ends_the_session_of_somebody_else(logged_in, console_tx):
    viewer, analyst = logged_in("viewer"), logged_in("analyst")
    theirs = console_tx.value("SELECT session_id FROM session JOIN console_user USING (user_id) WHERE role = 'analyst'")
    viewer.post("/account/sessions", session_id=str(theirs))
    assert analyst.get("/account").status_code == 200


def test_somebody_locked_out_is_let_in_again_from_the_command_line(services, browser, person, console_tx):
    email = person("viewer")
    browser.log_in(email, "guess")
    console_tx.execute(
        "INSERT INTO login_attempt SELECT kind, subject, at FROM login_attempt, generate_series(2, 10)"
        " WHERE kind = 'user'"
    )
    assert browser.log_in(email).status_code == 429
    with services.acting("console"):
        assert users.unlock(users.by_email(email).user_id) == 10
    assert browser.log_in(email).status_code == 302
