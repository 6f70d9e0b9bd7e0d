"""Getting in, staying in, getting out."""

import hashlib
import re

import pytest

from tests.integration.console.conftest import PASSWORD


def test_the_right_password_opens_the_console(browser, person):
    reply = browser.log_in(person("analyst"))
    assert reply.status_code == 302
    assert reply.headers["Location"] == "/"
    assert "analyst@shop.example" in browser.get("/account").get_data(as_text=True)


def test_whoever_is_not_logged_in_is_asked_to_and_comes_back(browser, person):
    asked = browser.get("/customers?q=mei")
    assert asked.status_code == 302
    assert asked.headers["Location"] == "/login?next=/customers?q%3Dmei"
    assert browser.log_in(person(), next="/customers?q=mei").headers["Location"] == "/customers?q=mei"


def test_a_part_of_a_page_sends_the_whole_page_to_the_login(browser):
    reply = browser.get("/segments", headers={"HX-Request": "true"})
    assert reply.status_code == 401
    assert reply.headers["HX-Redirect"].startswith("/login")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(browser, person):
    def said(email: str) -> tuple[int, str]:
        reply = browser.log_in(email, "black tea at midnight")
        return reply.status_code, reply.get_data(as_text=True).replace(email, "…")

    known, unknown = said(person()), said("nobody@shop.example")
    assert known == unknown
    assert known[0] == 401


def test_somebody_who_was_shut_out_gets_the_same_answer_too(browser, person, console_tx):
    email = person()
    console_tx.execute("UPDATE console_user SET disabled_at = now()")
    assert browser.log_in(email).status_code == 401


def test_a_session_planted_before_is_worthless_after_the_login(browser, person):
    browser.set_cookie("session", "planted-by-somebody-else")
    browser.log_in(person())
    assert browser.cookie("session") != "planted-by-somebody-else"
    browser.set_cookie("session", "planted-by-somebody-else")
    assert browser.get("/account").status_code == 302


def test_logging_in_again_ends_the_session_before(browser, person):
    email = person()
    browser.log_in(email)
    first = browser.cookie("session")
    browser.post("/logout")
    browser.log_in(email)
    second = browser.cookie("session")
    browser.set_cookie("session", first)
    assert browser.get("/account").status_code == 302
    browser.set_cookie("session", second)
    assert browser.get("/account").status_code == 200


def test_after_logging_out_the_cookie_opens_nothing(logged_in):
    browser = logged_in("viewer")
    token = browser.cookie("session")
    assert browser.post("/logout").status_code == 302
    browser.set_cookie("session", token)
    assert browser.get("/account").status_code == 302


def test_the_database_holds_no_session_that_could_be_used(logged_in, console_tx):
    browser = logged_in("viewer")
    kept = console_tx.value("SELECT token_hash FROM session")
    assert bytes(kept) == hashlib.sha256(browser.cookie("session").encode()).digest()


@pytest.mark.parametrize("column", ["expires_at", "seen_at"])
def test_a_session_ends_after_its_time_and_when_nobody_used_it_for_long(logged_in, console_tx, column):
    browser = logged_in("viewer")
    console_tx.execute(f"UPDATE session SET {column} = now() - interval '13 hours'")
    assert browser.get("/account").status_code == 302


def test_whoever_is_shut_out_is_out_at_once(logged_in, console_tx):
    admin, viewer = logged_in("admin"), logged_in("viewer")
    viewer_id = console_tx.value("SELECT user_id FROM console_user WHERE role = 'viewer'")
    assert admin.post(f"/people/{viewer_id}/disabled", disabled="yes").status_code == 302
    assert viewer.get("/account").status_code == 302


def test_another_role_holds_from_the_next_click(logged_in, console_tx):
    admin, marketer = logged_in("admin"), logged_in("marketer")
    assert marketer.get("/shop").status_code == 200
    marketer_id = console_tx.value("SELECT user_id FROM console_user WHERE role = 'marketer'")
    admin.post(f"/people/{marketer_id}/role", role="viewer")
    assert marketer.get("/shop").status_code == 403


def test_the_last_admin_stays(logged_in, console_tx):
    admin = logged_in("admin")
    admin_id = console_tx.value("SELECT user_id FROM console_user")
    admin.post(f"/people/{admin_id}/role", role="viewer")
    admin.post(f"/people/{admin_id}/disabled", disabled="yes")
    assert console_tx.one("SELECT role, disabled_at FROM console_user") == {"role": "admin", "disabled_at": None}
    assert "must stay" in admin.get("/people").get_data(as_text=True)


def mistype(browser, email, console_tx, times):
    """One wrong password for real, and the rest of them as the rows they leave: hashing is slow on purpose."""
    assert browser.log_in(email, "guess").status_code == 401
    console_tx.execute(
        """
        INSERT INTO login_attempt (kind, subject, at)
        SELECT kind, subject, at FROM login_attempt, generate_series(2, %(times)s) WHERE kind = 'user'
        """,
        {"times": times},
    )


def test_ten_wrong_passwords_close_the_door_for_a_person_even_to_the_right_one(browser, person, console_tx):
    email = person()
    mistype(browser, email, console_tx, 10)
    assert browser.log_in(email).status_code == 429


def test_the_door_opens_again_after_a_quarter_of_an_hour(browser, person, console_tx):
    email = person()
    mistype(browser, email, console_tx, 10)
    assert browser.log_in(email).status_code == 429
    console_tx.execute("UPDATE login_attempt SET at = at - interval '16 minutes'")
    assert browser.log_in(email).status_code == 302


def test_who_gets_in_begins_anew(browser, person, console_tx):
    email = person()
    mistype(browser, email, console_tx, 9)
    assert browser.log_in(email).status_code == 302
    assert console_tx.value("SELECT count(*) FROM login_attempt WHERE kind = 'user'") == 0


def test_an_address_that_guesses_at_many_people_is_shut_out_too(browser, person, console_tx):
    console_tx.execute(
        """
        INSERT INTO login_attempt (kind, subject, at)
        SELECT 'address', subject, now() FROM (VALUES ('placeholder')) AS one (subject), generate_series(1, 60)
        """
    )
    email = person()
    browser.log_in(email, "guess")
    console_tx.execute(
        "UPDATE login_attempt SET subject = (SELECT subject FROM login_attempt WHERE subject <> 'placeholder'"
        " AND kind = 'address' LIMIT 1) WHERE subject = 'placeholder'"
    )
    assert browser.log_in(email).status_code == 429


def test_attempts_are_kept_without_saying_whose(browser, person, console_tx):
    browser.log_in(person(), "guess")
    rows = console_tx.all("SELECT kind, subject FROM login_attempt")
    assert {row["kind"] for row in rows} == {"user", "address"}
    assert all(re.fullmatch(r"[0-9a-f]{32}", row["subject"]) for row in rows)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example", ""],
)
def test_the_login_page_sends_nobody_elsewhere(browser, person, target):
    assert browser.log_in(person(), next=target).headers["Location"] == "/"


def test_no_script_can_read_the_session_and_no_foreign_form_sends_it(browser, person):
    cookie = browser.log_in(person()).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_session_never_leaves_by_http(browser, person):
    https = {"options": {"headers": {"X-Forwarded-Proto": "https"}}}
    assert "Secure" in browser.log_in(person(), **https).headers["Set-Cookie"]


def test_another_password_ends_the_other_sessions_of_its_owner(new_browser, person):
    email = person()
    here, elsewhere = new_browser(), new_browser()
    here.log_in(email)
    elsewhere.log_in(email)
    wanted = "black tea at midnight"
    assert here.post("/account/password", present=PASSWORD, wanted=wanted, again=wanted).status_code == 302
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert elsewhere.log_in(email, wanted).status_code == 302


@pytest.mark.parametrize(
    ("present", "wanted", "again"),
    [
        ("wrong", "black tea at midnight", "black tea at midnight"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "black tea at midnight", "green tea at midnight"),
    ],
)
def test_a_password_is_not_changed_by_mistake(logged_in, present, wanted, again):
    browser = logged_in("viewer")
    assert browser.post("/account/password", present=present, wanted=wanted, again=again).status_code == 422
    assert browser.log_in("viewer@shop.example").status_code == 302


def test_a_new_person_gets_a_password_that_is_shown_once_and_works(logged_in, new_browser):
    shown = logged_in("admin").post("/people", email="Li@Shop.example", role="marketer").get_data(as_text=True)
    password = re.search(r'id="secret">([^<]+)<', shown)[1]
    assert new_browser().log_in("li@shop.example", password).status_code == 302


def test_an_address_is_taken_only_once_however_it_is_spelt(logged_in):
    assert logged_in("admin").post("/people", email=" ADMIN@shop.example", role="viewer").status_code == 409


def test_passwords_are_kept_as_argon2_and_addresses_sealed(person, console_tx):
    person()
    kept = console_tx.one("SELECT email, password_hash FROM console_user")
    assert kept["password_hash"].startswith("$argon2id$")
    assert kept["email"].startswith("enc:1:")


def test_upkeep_removes_what_no_longer_counts(logged_in, console_tx, services):
    logged_in("viewer").log_in("viewer@shop.example", "guess")
    console_tx.execute("UPDATE session SET expires_at = now()")
    console_tx.execute("UPDATE login_attempt SET at = at - interval '1 day'")
    with services.acting("console"):
        from services.console.tasks import upkeep

        upkeep()
    assert console_tx.value("SELECT count(*) FROM session") == 0
    assert console_tx.value("SELECT count(*) FROM login_attempt") == 0
