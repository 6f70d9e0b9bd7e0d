"""`zhike doctor` says what is missing and what helps."""

import socket

import pytest
from click.testing import CliRunner

from deploy import doctor
from deploy.cli import main
from deploy.doctor import examine
from tests.journey.platform import free_block


def findings(data, port):
    return {finding.subject: finding for finding in examine(data, port)}


def test_whatever_is_amiss_comes_with_a_remedy(tmp_path):
    found = findings(tmp_path, free_block())
    assert {"Python", "OpenMP", "PostgreSQL", "Valkey", "Caddy", "ports", "disk", "memory", "clock"} <= set(found)
    assert [finding.subject for finding in found.values() if finding.verdict != "ok" and not finding.remedy] == []


def test_a_taken_port_is_named(tmp_path):
    base = free_block()
    with socket.create_server(("127.0.0.1", base + 10)):
        finding = findings(tmp_path, base)["ports"]
    assert finding.verdict == "fail"
    assert str(base + 10) in finding.fact
    assert "--port" in finding.remedy


def test_servers_of_ones_own_need_no_embedded_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/zhike")
    assert "a server of yours" in findings(tmp_path, free_block())["PostgreSQL"].fact


def test_a_library_other_than_the_locked_one_is_named(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("click==1.0 \\\n    --hash=sha256:0\n")
    finding = doctor._locked(lock)
    assert finding.verdict == "warn"
    assert "(locked 1.0)" in finding.fact


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_only_what_would_keep_it_from_starting_is_a_failure(monkeypatch, tmp_path, verdict, code):
    monkeypatch.setattr(doctor, "examine", lambda *_: [doctor.Finding("disk", verdict, "0 GiB", "buy one")])
    result = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path)])
    assert result.exit_code == code
    assert ("buy one" in result.output) == (verdict != "ok")
