"""The command line says what is wrong in words."""

import pytest
from click.testing import CliRunner

from deploy import secrets
from deploy.cli import main


def said(*arguments, **environment):
    result = CliRunner().invoke(main, list(arguments), env={"DATABASE_URL": None, "REDIS_URL": None, **environment})
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["api", "profil"], "there is no service 'profil'; there are profile, "),
        (["worker", "profile", "--queues", "campaign"], "profile has no queue campaign; it has profile, "),
        (["up", "--scale", "campaign-worker"], "--scale wants ROLE=N, not 'campaign-worker'"),
        (["up", "--scale", "nobody=2"], "there is no role 'nobody'"),
        (["migrate"], "DATABASE_URL is not set"),
        (["beat"], "REDIS_URL is not set"),
    ],
)
def test_a_mistake_is_named(arguments, words):
    code, output = said(*arguments)
    assert code == 1
    assert words in output


def test_nothing_to_stop_is_no_mistake(tmp_path):
    assert said("stop", "--data", str(tmp_path)) == (0, f"nothing runs in {tmp_path}\n")


def test_status_of_nothing_says_so_to_people_and_scripts(tmp_path):
    assert said("status", "--data", str(tmp_path)) == (1, f"nothing runs in {tmp_path}\n")


def test_keys_cannot_be_made_without_a_platform(tmp_path):
    code, output = said("keys", "create", "--kind", "server", "--name", "shop", "--data", str(tmp_path))
    assert code == 1
    assert "no platform runs in" in output


def test_secrets_for_containers_are_lines_of_an_env_file():
    code, output = said("secrets")
    assert code == 0
    assert [line.partition("=")[0] for line in output.splitlines()] == list(secrets.NAMES)


def test_every_command_has_a_help_text():
    assert said("--help")[0] == 0
    for name in main.list_commands(None):
        assert said(name, "--help")[0] == 0, name
