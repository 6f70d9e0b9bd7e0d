"""One trainer at a time, in nobody's way, and killed without harm. Here things are committed, by several processes."""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from services.recommend.actions import items, models, shelf, training
from services.recommend.app import create_app
from services.recommend.artifacts import models as artifacts
from services.recommend.store import models as store
from shared import database
from shared.ids import uuid7
from tests.integration.recommend.conftest import NOON


@pytest.fixture
def settings(database_clone, tmp_path):
    """A committed shop with a few purchases, and a first model."""
    chosen = replace(database_clone("recommend"), artifacts_url=f"file://{tmp_path}")
    create_app(chosen)
    items.put_items(b'{"items": [{"item_id": "longjing", "name": "Longjing"}, {"item_id": "cup", "name": "Cup"}]}')
    with database.transaction() as tx:
        for position in range(20):
            customer = uuid7()
            tx.execute(
                """
                INSERT INTO interaction (position, line, customer_id, item_key, kind, quantity, occurred_at)
                VALUES (%(position)s, 0, %(who)s, %(item)s, 6, 1, %(at)s)
                """,
                {"position": position, "who": customer, "item": position % 2, "at": NOON},
            )
    models.request_training()
    assert training.train_if_due()
    return chosen


def train_and_hang(settings, reached):
    """In a process of its own: train, and stop when the artefact is half written."""
    create_app(settings)

    def hang(_folder):
        reached.set()
        time.sleep(600)

    artifacts._sync_folder = hang
    models.request_training()
    training.train_if_due()


def folders(tmp_path):
    return sorted(path.name for path in (tmp_path / "recommend").iterdir())


@pytest.fixture
def hanging(settings):
    """Another process that is in the middle of publishing."""
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    process = context.Process(target=train_and_hang, args=(settings, reached), daemon=True)
    process.start()
    assert reached.wait(60)
    yield process
    process.kill()
    process.join()


@pytest.mark.slow
def test_a_trainer_killed_in_the_middle_leaves_the_champion_and_the_next_one_starts_at_once(
    hanging, settings, tmp_path
):
    champion = models.models_page(None, 5)[0]
    hanging.kill()
    hanging.join()
    assert hanging.exitcode == -signal.SIGKILL
    assert models.models_page(None, 5)[0] == champion
    assert any(name.endswith(".writing") for name in folders(tmp_path))
    models.request_training()
    deadline = time.monotonic() + 30
    while (version := training.train_if_due()) is None:  # until Postgres has noticed that the other one is gone
        assert time.monotonic() < deadline
    assert folders(tmp_path) == sorted([champion[0].version, version])
    assert shelf.current()[1].version == version


@pytest.mark.slow
def test_while_one_trains_another_does_not_and_nobody_waits(hanging, settings):
    done = threading.Event()

    def ask():
        models.request_training()
        assert training.train_if_due() is None
        done.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert done.wait(5)


def train_and_die(settings, point):
    """In a process of its own: train, and be killed at this point."""
    create_app(settings)

    def die(*_given, **_named):
        os.kill(os.getpid(), signal.SIGKILL)

    if point.startswith("file "):
        left, sync = int(point.removeprefix("file ")), os.fsync

        def fsync(descriptor):
            nonlocal left
            left -= 1
            if left == 0:
                die()
            sync(descriptor)

        os.fsync = fsync
    else:
        owner, name = {
            "fitting": (training, "train"),
            "naming": (Path, "rename"),
            "registering": (store, "publish"),
            "retiring": (store, "retire"),
        }[point]
        setattr(owner, name, die)
    models.request_training()
    training.train_if_due()


@pytest.mark.slow
@pytest.mark.parametrize("point", ["fitting", "file 1", "file 7", "naming", "registering", "retiring"])
def test_wherever_a_trainer_is_killed_the_champion_serves_on_and_nothing_half_is_loaded(settings, point, tmp_path):
    champion = models.models_page(None, 5)[0]
    process = multiprocessing.get_context("spawn").Process(target=train_and_die, args=(settings, point), daemon=True)
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert models.models_page(None, 5)[0] == champion
    shelf.forget()
    assert shelf.current()[1].version == champion[0].version
    models.request_training()
    deadline = time.monotonic() + 30
    while (version := training.train_if_due()) is None:  # until Postgres has noticed that the other one is gone
        assert time.monotonic() < deadline
    assert folders(tmp_path) == sorted([champion[0].version, version])
    shelf.forget()
    assert shelf.current()[1].version == version
