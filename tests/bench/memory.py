"""`python -m tests.bench.memory`: how much memory the largest pieces of work take, each in a process of its own.

Prints the peak of the process that does it (resident memory, sampled every 20 ms), and how long it took.
"""

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from deploy.backup import archive, saving
from deploy.backup.place import Place
from deploy.home import Home
from tests import servers as test_servers
from tests.conftest import configure
from tests.servers import Database
from tests.upgrade.keys import KEYS

SEGMENT = "00000000-0000-7000-8000-000000000001"
ID = "md5('customer' || n)::uuid"
CUSTOMERS = f"""
    INSERT INTO profile.customer_seen SELECT {ID}, now(), now() FROM generate_series(1, %(n)s) n;
    INSERT INTO profile.identity SELECT {ID}, 'user_id', 'u' || n, NULL, {ID}, true, now()
        FROM generate_series(1, %(n)s) n;
    INSERT INTO profile.customer (customer_id, identified, user_id, email, traits, updated_at)
        SELECT {ID}, true, 'u' || n, 'u' || n || '@customers.example', '{{}}', now() FROM generate_series(1, %(n)s) n;
    INSERT INTO profile.consent SELECT gen_random_uuid(), {ID}, 'marketing', 'email', true, now(), 's', NULL, 'e', now()
        FROM generate_series(1, %(n)s) n;
    INSERT INTO segmentation.segment
        VALUES ('{SEGMENT}', 'All', '', '{{"feature": "orders", "op": ">=", "value": 1}}', 1);
    INSERT INTO segmentation.segment_state (segment_id, size, version, stale) VALUES ('{SEGMENT}', %(n)s, 1, false);
    INSERT INTO segmentation.membership SELECT '{SEGMENT}', {ID}, now() FROM generate_series(1, %(n)s) n;
    INSERT INTO segmentation.purchase (position, kind, order_key, identity_id, customer_id, occurred_at, placed_at,
                                       trusted, amount_minor, discount_minor, currency)
        SELECT 3 * n + k, 'order', n || '-' || k, {ID}, {ID}, at, at, true, 1000 + n, 0, 'CNY'
        FROM generate_series(1, %(n)s) n, generate_series(0, 2) k,
             LATERAL (SELECT now() - make_interval(days => (n * 7 + k * 31)::int %% 400 + 1) AS at) t;
    INSERT INTO campaign.template (template_id, name) VALUES ('{SEGMENT}', 'T');
    INSERT INTO campaign.campaign (campaign_id, name, purpose, segment_id, template_id, status, assignment_salt,
                                   created_by, holdout_share)
        VALUES ('{SEGMENT}', 'C', 'promotional', '{SEGMENT}', '{SEGMENT}', 'preparing', 's', 'me', 0.1);
    INSERT INTO campaign.run (run_id, campaign_id, number, status, channel, purpose, segment_id, template_id,
            template_version, subject, holdout_share, assignment_salt, recommend_n, recommend_filter, attribution_days,
            replay, as_of, expires_at)
        VALUES ('{SEGMENT}', '{SEGMENT}', 1, 'preparing', 'email', 'promotional', '{SEGMENT}', '{SEGMENT}', 1, '', 0.1,
            's', 0, '{{}}', 28, false, now(), now() + interval '1 day');
    INSERT INTO profile.intake (received_at, source, trusted, imported, message_key, message_id, type, event,
                                occurred_at, own_kind, own_lookup, payload)
        SELECT now(), 's', true, true, gen_random_uuid(), 'm' || n, 'track', 'Product Viewed', now(), 'user_id',
               'u' || n,
               '{{"userId": "u", "properties": {{"product_id": "longjing", "price": 28.5, "currency": "CNY"}}}}'
        FROM generate_series(1, %(n)s) n;
"""


def freeze() -> None:
    """The audience of a campaign."""
    from services.campaign.actions import launching

    assert launching.start_due() == 1


def append() -> None:
    """An import, from the intake into the log."""
    from services.profile.actions import append

    append.drain()


def recompute() -> None:
    """Features, scores and memberships of everybody."""
    from services.segmentation.actions import recompute

    job = recompute.ask(None)
    recompute.run(job)


WORK: dict[str, tuple[str, Callable[[], None]]] = {
    "freeze": ("campaign", freeze),
    "append": ("profile", append),
    "recompute": ("segmentation", recompute),
}


def measured(
    name: str, database: Database, redis_url: str, folder: Path, out: "multiprocessing.Queue[tuple[int, int, float]]"
) -> None:
    """Run one piece of work in this process and tell (before, peak, seconds)."""
    if name == "backup":
        place = Place(Home(folder), database.owner_url, "", f"file://{folder}", KEYS)
        work: Callable[[], object] = lambda: saving.save(place, folder / archive.file_name(datetime.now(UTC)))  # noqa: E731
    else:
        service, work = WORK[name]
        configure(test_servers.settings(service, database, redis_url, folder))
    process, ended = psutil.Process(os.getpid()), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        work()
    finally:
        ended.set()
        watcher.join()
    out.put((before, peak, time.monotonic() - began))


def main() -> None:
    """Fill a database, do the work, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--only", choices=[*WORK, "backup"], nargs="*", default=[*WORK, "backup"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhike-memory-") as folder, test_servers.running(Path(folder)) as running:
        database = running.clone()
        unneeded = {table for table, work in _FOR.items() if work not in given.only}
        fill(database, given.customers, unneeded)
        for name in given.only:
            out: multiprocessing.Queue[tuple[int, int, float]] = multiprocessing.get_context("spawn").Queue()
            arguments = (name, database, running.redis_url, Path(folder), out)
            process = multiprocessing.get_context("spawn").Process(target=measured, args=arguments)
            process.start()
            process.join()
            if process.exitcode:
                print(f"{name:<10} failed", flush=True)
                continue
            before, peak, seconds = out.get()
            print(
                f"{name:<10} {given.customers} customers: {peak / 2**20:.0f} MiB at the peak, "
                f"{(peak - before) / 2**20:.0f} MiB more than idle, {seconds:.0f} s",
                flush=True,
            )


_FOR = {"segmentation.purchase": "recompute", "profile.intake": "append"}


def fill(database: Database, customers: int, unneeded: set[str]) -> None:
    """So many customers, each in the segment, with consent, three orders and an event in the intake."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for statement in CUSTOMERS.split(";\n"):
            if statement.strip() and not any(f"INTO {table} " in statement for table in unneeded):
                owner.execute(statement, {"n": customers} if "%(n)s" in statement else None)  # type: ignore[arg-type]
        owner.execute("ANALYZE")


if __name__ == "__main__":
    main()
