"""Telling rows that Postgres refuses from a Postgres that cannot work just now."""

import psycopg


def is_fault_of_the_data(error: BaseException) -> bool:
    """Whether trying again would fail again: not so for lost connections, time-outs, locks, a full disk."""
    if isinstance(error, psycopg.OperationalError | psycopg.InternalError | psycopg.InterfaceError):
        return False
    return not isinstance(error, MemoryError | TimeoutError | OSError)
