"""What a transaction promises, also while whoever holds it is frozen."""

import time

import psycopg
import pytest

from shared.database import transaction


@pytest.fixture
def profile(database_clone):
    return database_clone("profile")


def leave_open(rows):
    with transaction() as tx:
        tx.execute("SET LOCAL idle_in_transaction_session_timeout = '200ms'")
        tx.execute("CREATE TEMPORARY TABLE tea (name text)")
        tx.many("INSERT INTO tea VALUES (%(name)s)", [{"name": f"tea {n}"} for n in range(rows)])
        time.sleep(1)
        tx.execute("SELECT 1")


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("rows", [1, 50])
def test_one_that_is_left_open_is_ended_whatever_was_its_last_statement(rows):
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        leave_open(rows)
