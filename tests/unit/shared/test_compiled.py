"""Where compiled loops are kept: a change in any of the sources that may be built into them makes them new ones."""

import os
import time

import pytest

from shared.compiled import compiled, folder


@pytest.fixture
def sources(tmp_path):
    """A checkout with one loop, and what it knows from another file."""
    for name in ("loops.py", "tables.py"):
        path = tmp_path / "services" / "profile" / "domain" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("A = 1\n")
    return tmp_path


def test_the_same_sources_find_their_loops_again(sources):
    assert folder(sources, sources / "kept") == folder(sources, sources / "kept")
    assert folder(sources, sources / "kept").is_dir()


def test_another_table_beside_a_loop_makes_a_new_folder_and_old_ones_go(sources):
    before = folder(sources, sources / "kept")
    (sources / "services/profile/domain/tables.py").write_text("A = 2\n")
    after = folder(sources, sources / "kept")
    assert (after != before, before.is_dir()) == (True, True)  # a process of before may still be starting
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(before, (long_ago, long_ago))
    assert (folder(sources, sources / "kept"), before.exists()) == (after, False)


def test_where_nothing_may_be_written_there_is_a_folder_that_is_none(sources):
    (sources / "file").write_text("")
    assert not folder(sources, sources / "file").exists()


def test_other_types_than_those_written_down_are_an_error():
    from numba import types

    doubled = compiled(types.int64)(lambda number: 2 * number)
    assert doubled(4) == 8
    with pytest.raises(TypeError):
        doubled("4")
