"""The pool's patience with a server that is away."""

from shared import connections


def test_a_server_that_is_back_is_found_within_seconds_however_long_it_was_away(monkeypatch):
    pauses, tried = [], []
    pool = connections.Pool("host=127.0.0.1 port=9 connect_timeout=1", open=False)

    def note(task, pause):
        pauses.append(pause)
        tried.append(task.attempt)

    monkeypatch.setattr(pool, "schedule_task", note)
    pool._add_connection(None)
    for _ in range(10):
        pool._add_connection(tried[-1])
    assert len(pauses) == 11
    assert max(pauses) <= 2.0
