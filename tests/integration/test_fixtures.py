"""The test house itself: roles are real, and what a test writes is gone after it."""

import psycopg
import pytest


def test_a_transaction_acts_as_its_services_own_role(console_tx):
    assert console_tx.value("SELECT current_user").endswith("_console")


def test_two_services_share_the_uncommitted_rows_but_not_the_rights(console_tx, profile_tx):
    console_tx.execute("UPDATE shop SET name = 'Tea House'")
    assert profile_tx.value("SELECT name FROM console_out.shop_v1") == "Tea House"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), profile_tx.savepoint():
        profile_tx.execute("SELECT * FROM console.shop")


def test_what_the_test_before_wrote_is_gone(profile_tx):
    assert profile_tx.value("SELECT name FROM console_out.shop_v1") != "Tea House"
