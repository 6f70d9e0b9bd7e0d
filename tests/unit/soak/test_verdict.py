"""The verdict of a soak: what leaks is found, what only warms up is not accused."""

from tests.soak.samples import Sample
from tests.soak.verdict import judge

MINUTES = 30


def samples(memory=lambda minute: 200.0, behind=lambda minute: 100):
    return [
        Sample(
            at_s=minute * 60.0,
            memory={"campaign-worker": memory(minute)},
            descriptors={},
            connections=20,
            intake=0,
            lag={"segmentation": behind(minute)},
            sizes={},
            latency={},
        )
        for minute in range(1, MINUTES + 1)
    ]


def grown(found):
    return [one.what for one in judge(found, events_per_s=1000.0) if not one.passed]


def test_a_steady_platform_passes():
    assert grown(samples()) == []


def test_memory_that_grows_without_end_is_found():
    assert grown(samples(memory=lambda minute: 200.0 + 3 * minute)) == ["memory of campaign-worker"]


def test_memory_that_fills_during_the_warm_up_and_then_stays_is_none():
    assert grown(samples(memory=lambda minute: 200.0 + 30 * min(minute, 10))) == []


def test_a_reader_that_falls_further_and_further_behind_is_found():
    assert grown(samples(behind=lambda minute: 500 * minute)) == ["lag of segmentation"]


def test_a_reader_that_is_behind_by_the_same_all_the_time_is_none():
    assert grown(samples(behind=lambda minute: 5000 + 300 * (minute % 2))) == []
