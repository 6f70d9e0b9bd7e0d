"""UUIDv7: ordered by the time they were made."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from shared.ids import uuid7


def test_ids_of_one_process_are_unique_and_ordered_across_threads():
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(500)], range(4)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({i for batch in batches for i in batch}) == 2000


def test_an_id_is_a_version_7_and_carries_its_millisecond():
    before = datetime.now(UTC)
    made = uuid7()
    stamp = datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((stamp - before).total_seconds()) < 1
