"""UUIDv7: ordered by the time they were made."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from shared.ids import made_at, uuid7


def test_ids_of_one_process_are_unique_and_ordered_across_threads():
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(500)], range(4)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({i for batch in batches for i in batch}) == 2000


def test_an_id_is_a_version_7_and_carries_its_millisecond():
    before = datetime.now(UTC)
    made = uuid7()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((made_at(made) - before).total_seconds()) < 1


def test_a_forked_process_does_not_repeat_the_ids_of_its_parent():
    uuid7()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"".join(uuid7().bytes[8:] for _ in range(50)))
        os._exit(0)
    os.waitpid(child, 0)
    tails = os.read(read, 400)
    theirs = {tails[at : at + 8] for at in range(0, 400, 8)}
    os.close(read)
    os.close(write)
    assert len(theirs) == 50
    assert theirs.isdisjoint({uuid7().bytes[8:] for _ in range(600)})
