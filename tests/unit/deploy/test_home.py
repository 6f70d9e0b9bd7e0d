"""One supervisor per data folder."""

import os

import pytest

from deploy.home import Home, InUseError


def test_a_folder_in_use_is_refused_and_its_user_named(tmp_path):
    home = Home(tmp_path)
    with home.lock(), pytest.raises(InUseError, match=f"pid {os.getpid()}"):
        home.lock()


def test_the_user_of_a_folder_is_known_while_it_uses_it(tmp_path):
    home = Home(tmp_path)
    assert home.supervisor_pid() is None
    with home.lock():
        assert home.supervisor_pid() == os.getpid()
    assert home.supervisor_pid() is None


def test_a_folder_is_free_again_whatever_ended_its_user(tmp_path):
    home = Home(tmp_path)
    home.lock().close()
    with home.lock():
        assert home.supervisor_pid() == os.getpid()


def test_a_state_half_written_is_never_read(tmp_path):
    home = Home(tmp_path)
    home.write_state({"ready": True})
    assert home.read_state() == {"ready": True}
    home.state_file.write_text('{"rea')
    assert home.read_state() == {}
