"""Keys and passwords of an installation."""

import stat

import pytest

from deploy import secrets
from deploy.secrets import SecretsError


def test_the_first_start_makes_every_secret_and_the_next_one_finds_them(tmp_path):
    first = secrets.load(tmp_path, {})
    assert set(first) == set(secrets.NAMES)
    assert len(set(first.values())) == len(first)
    assert secrets.load(tmp_path, {}) == first


def test_only_the_owner_can_read_them(tmp_path):
    secrets.load(tmp_path, {})
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_the_environment_wins_and_is_not_written_down(tmp_path):
    values = secrets.load(tmp_path, {"ZHIKE_DATA_KEY": "from a vault"})
    assert values["ZHIKE_DATA_KEY"] == "from a vault"
    assert "from a vault" not in (tmp_path / "secrets.env").read_text()


def test_a_secret_of_a_later_version_is_added_and_the_others_stay(tmp_path):
    old = secrets.load(tmp_path, {})
    path = tmp_path / "secrets.env"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("CONSOLE_DB_PASSWORD")))
    new = secrets.load(tmp_path, {})
    assert {name for name in new if new[name] != old[name]} == {"CONSOLE_DB_PASSWORD"}


def test_a_damaged_file_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "secrets.env"
    path.write_text("ZHIKE_DATA_KEY=\n")
    with pytest.raises(SecretsError, match="ZHIKE_DATA_KEY"):
        secrets.load(tmp_path, {})
    assert path.read_text() == "ZHIKE_DATA_KEY=\n"
