"""The quick way to one row: right parameters, right bytes, and errors that say what happened."""

import struct

import psycopg
import pytest
from psycopg.adapt import PyFormat
from psycopg.types.json import Jsonb

from shared import connections, database
from shared.database import statement, transaction

INT8 = 20


@pytest.fixture(autouse=True)
def _at_home(database_clone):
    database_clone("profile")


def asked(tx, number):
    return tx.binary_row("SELECT $1 * 2, NULL", [(INT8, struct.pack("!q", number))])


def test_parameters_go_and_values_come_in_binary():
    with statement() as tx:
        assert asked(tx, 21) == (struct.pack("!q", 42), None)


def test_it_works_inside_a_transaction_too():
    with transaction() as tx:
        tx.execute("CREATE TEMPORARY TABLE tea (name text)")
        assert tx.binary_row("SELECT count(*) FROM tea", []) == (struct.pack("!q", 0),)


def test_it_still_works_after_a_rollback_has_made_the_server_forget():
    with statement() as tx:
        asked(tx, 1)
        tx.execute("DEALLOCATE ALL")
        assert asked(tx, 2) == (struct.pack("!q", 4), None)


def test_each_statement_is_made_again_by_itself_when_the_server_has_forgotten():
    with statement() as tx:
        asked(tx, 1)
        tx.execute("DEALLOCATE ALL")
        for _ in range(2):
            assert tx.binary_row("SELECT 5", []) == (b"\0\0\0\5",)  # made after the server forgot the other
            assert asked(tx, 2) == (struct.pack("!q", 4), None)


def test_what_the_server_refuses_is_raised_and_the_connection_goes_on():
    with statement() as tx:
        with pytest.raises(psycopg.errors.DivisionByZero):
            tx.binary_row("SELECT 1 / ($1 - 1)", [(INT8, struct.pack("!q", 1))])
        assert asked(tx, 3) == (struct.pack("!q", 6), None)


def test_a_lost_connection_is_one_of_the_errors_that_mean_try_again():
    with statement() as tx:
        asked(tx, 1)
        pid = tx.connection.info.backend_pid
        with psycopg.connect(tx.connection.info.dsn, password=tx.connection.info.password) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(database.UNAVAILABLE):
            asked(tx, 2)
    with statement() as tx:
        assert asked(tx, 5) == (struct.pack("!q", 10), None)


def test_choosing_orjson_for_a_connection_again_makes_no_further_type():
    with transaction() as tx:
        connections.use_orjson(tx.connection)
        chosen = tx.connection.adapters.get_dumper(Jsonb, PyFormat.TEXT)
        connections.use_orjson(tx.connection)
        assert tx.connection.adapters.get_dumper(Jsonb, PyFormat.TEXT) is chosen
        assert tx.value("""SELECT '{"n": 1}'::jsonb""") == {"n": 1}
