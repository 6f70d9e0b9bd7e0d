"""Folding in many people at once."""

import numpy as np
import pytest

from services.recommend.domain.folding import base_of, fold_in, fold_in_many

DRAW = np.random.default_rng(4)


def test_many_at_once_get_the_factors_that_each_gets_alone():
    items = DRAW.normal(scale=0.4, size=(200, 16)).astype(np.float32)
    base = base_of(items, 2.0)
    histories = [DRAW.choice(200, count, replace=False) for count in (1, 40, 3, 7, 8, 25, 2)]  # few of them and many
    affinity = [DRAW.random(len(own), dtype=np.float32) * 3 for own in histories]
    together = fold_in_many(items, base, histories, affinity, 1.5)
    for own, liked, found in zip(histories, affinity, together, strict=True):
        assert found == pytest.approx(fold_in(items, base, own, liked, 1.5), abs=2e-5)


def test_more_people_than_are_solved_together_keep_their_order():
    items = np.eye(4, dtype=np.float32)
    histories = [np.array([number % 4]) for number in range(150)]
    found = fold_in_many(items, base_of(items, 1.0), histories, [np.ones(1, dtype=np.float32)] * 150, 1.0)
    assert found.argmax(axis=1).tolist() == [number % 4 for number in range(150)]


def test_nobody_is_no_error():
    items = np.eye(4, dtype=np.float32)
    assert fold_in_many(items, base_of(items, 1.0), [], [], 1.0).shape == (0, 4)
