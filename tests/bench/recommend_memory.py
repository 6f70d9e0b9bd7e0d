"""recommend_memory: what a serving process holds after its first and after a hundred thousand answers."""

import orjson
import psutil

from tests.bench import catalogue, machine
from tests.bench.load import Target, seconds_to_send
from tests.bench.recommend import BASE_PORT, CONNECTIONS, FACTORS
from tests.bench.report import Figure
from tests.bench.stack import Stack, running

ITEMS, PEOPLE, ANSWERS, PORTIONS = 10_000, 2_000, 100_000, 10


def recommend_memory() -> list[Figure]:
    """MiB that one process has more of its own after 100,000 answers of all kinds than after the first tenth."""
    with running(BASE_PORT) as stack:
        people = list(catalogue.fill(stack, catalogue.factors_of(ITEMS, FACTORS), PEOPLE))
        target = Target(stack.api("recommend") + "/v1/recommendations", stack.key("server"))
        held = []
        for portion in range(PORTIONS):
            first = portion * ANSWERS // PORTIONS
            seconds_to_send(target, [_asked(first + turn, people) for turn in range(ANSWERS // PORTIONS)], CONNECTIONS)
            held.append(_own(stack))
    conditions = (
        f"{machine.described()}; {ANSWERS:,} answers of one process over {ITEMS:,} items × {FACTORS} factors: "
        f"plain, by slots, like an item, by ever new conditions, for {PEOPLE:,} customers and for visitors that never "
        f"come again; MiB of its own after each {ANSWERS // PORTIONS:,}: {', '.join(f'{one:.0f}' for one in held)}"
    )
    return [Figure("recommend_memory", round(held[-1] - held[0], 1), "MiB", None, None, conditions)]


def _asked(turn: int, people: list[str]) -> bytes:
    """One request of many kinds, seeded by its turn."""
    item = f"item-{turn * 7919 % ITEMS}"
    kinds = (
        {},
        {"slot": "home"},
        {"slot": "product", "context": {"item_id": item}},
        {"where": f"price < {turn} or category == 'c{turn}'"},
        {"exclude": [item], "n": 1 + turn % 50},
        {"strategy": "trending", "context": {"country": "CN"}},
    )
    who = {"anonymous_id": f"visitor-{turn}"} if turn % 5 == 0 else {"customer_id": people[turn % len(people)]}
    return orjson.dumps({**who, "n": 20, **kinds[turn % len(kinds)]})


def _own(stack: Stack) -> float:
    """MiB that the largest process shares with nobody."""
    family = [one for parent, _ in stack.processes for one in psutil.Process(parent.pid).children(recursive=True)]
    largest = max(family, key=lambda one: one.memory_info().rss)
    return sum(part.anonymous for part in largest.memory_maps()) / 2**20
