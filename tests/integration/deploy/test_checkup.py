"""`zhike doctor` on the servers: what is well is called well, what is amiss is named with what helps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy import doctor
from deploy.backup import archive, snapshot
from deploy.checkup import custody, work
from deploy.checkup import servers as checked
from tests.conftest import Servers
from tests.servers import Database

KEYS = {
    "ZHIKE_DATA_KEY": "a data key of the tests, also 32 characters and more",
    "ZHIKE_SECRET_KEY": "a secret key of the tests, 32 characters and more",
}


@pytest.fixture
def clone(servers: Servers) -> Iterator[Database]:
    clone = servers.clone()
    yield clone
    servers.drop(clone)


@pytest.fixture
def owner(clone: Database) -> Iterator[psycopg.Connection[Any]]:
    with snapshot.connect(clone.owner_url) as connection:
        yield connection


def verdicts(findings: Any) -> dict[str, str]:
    return {finding.subject: finding.verdict for finding in findings}


def test_a_fresh_installation_on_good_servers_has_nothing_that_fails(
    clone: Database, servers: Servers, tmp_path: Path
) -> None:
    theirs = {"DATABASE_URL": clone.owner_url, "REDIS_URL": servers.redis_url, **KEYS}
    found = list(doctor.of_installation(tmp_path, tmp_path / "backups", theirs))
    assert {finding.subject: finding.fact for finding in found if finding.verdict == "fail"} == {}
    assert {"database", "migrations", "clocks", "queue", "tasks waiting", "mail server", "keys", "last backup"} <= set(
        verdicts(found)
    )
    assert [finding.subject for finding in found if finding.verdict != "ok" and not finding.remedy] == []


def test_servers_that_are_away_are_failures(tmp_path: Path) -> None:
    theirs = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/zhike", "REDIS_URL": "redis://127.0.0.1:9/0", **KEYS}
    found = verdicts(doctor.of_installation(tmp_path, tmp_path, theirs))
    assert (found["database"], found["queue"]) == ("fail", "fail")
    assert checked.mail("smtp://127.0.0.1:9").verdict == "fail"
    assert checked.mail("").verdict == "warn"


def test_a_schema_that_is_behind_or_ahead_is_a_failure(owner: psycopg.Connection[Any]) -> None:
    owner.execute("UPDATE recommend.alembic_version SET version_num = 'recommend_0001'")
    behind = next(finding for finding in checked.database(owner) if finding.subject == "migrations")
    assert (behind.verdict, behind.fact) == ("fail", "behind: recommend")
    owner.execute("UPDATE recommend.alembic_version SET version_num = 'recommend_9999'")
    ahead = next(finding for finding in checked.database(owner) if finding.subject == "migrations")
    assert ahead.verdict == "fail"
    assert "newer" in ahead.fact


@pytest.mark.parametrize(
    ("told", "depth", "subject", "verdict"),
    [
        ({"redis_version": "6.0.16"}, 0, "queue", "fail"),
        ({"redis_version": "7.2.4"}, 0, "queue", "ok"),
        ({"redis_version": "7.2.4", "maxmemory_policy": "allkeys-lru"}, 0, "queue memory", "warn"),
        ({"redis_version": "7.2.4", "aof_enabled": 0}, 0, "queue persistence", "warn"),
        ({"redis_version": "7.2.4"}, 1001, "tasks waiting", "warn"),
    ],
)
def test_a_queue_that_forgets_or_fills_is_named(told: dict[str, Any], depth: int, subject: str, verdict: str) -> None:
    assert verdicts(checked.judge_queue(told, {"profile": depth}))[subject] == verdict


def test_a_key_that_does_not_open_the_data_is_a_failure(owner: psycopg.Connection[Any], database_clone: Any) -> None:
    database_clone("console")
    from shared import crypto

    owner.execute(
        """
        INSERT INTO profile.identity VALUES
            (gen_random_uuid(), 'email', 'x', %(sealed)s, gen_random_uuid(), true, now())
        """,
        {"sealed": crypto.seal("mei@example.com")},
    )
    assert custody.keys(owner, KEYS).verdict == "ok"
    wrong = custody.keys(owner, {**KEYS, "ZHIKE_DATA_KEY": "another key of thirty-two letters"})
    assert (wrong.verdict, "secret" in wrong.fact) == ("fail", False)
    assert custody.keys(owner, {**KEYS, "ZHIKE_SECRET_KEY": "short"}).verdict == "fail"
    assert custody.keys(owner, {}).verdict == "fail"


def test_an_appender_that_stands_still_is_a_failure_only_while_the_platform_runs(
    owner: psycopg.Connection[Any],
) -> None:
    owner.execute(
        """
        INSERT INTO profile.intake (received_at, source, trusted, imported, message_key, message_id, type, occurred_at,
                                    own_kind, own_lookup, payload)
        VALUES (now() - interval '1 hour', 's', true, false, gen_random_uuid(), 'm', 'track', now(), 'user_id', 'mei',
                '{}')
        """
    )
    assert verdicts(work.under_way(owner, running=True))["events accepted"] == "fail"
    assert verdicts(work.under_way(owner, running=False))["events accepted"] == "warn"


def test_letters_to_everybody_need_an_address_that_leads_back(owner: psycopg.Connection[Any]) -> None:
    owner.execute("UPDATE console.shop SET allow_list = NULL")
    assert verdicts(custody.address(owner, "http://127.0.0.1:8400"))["public address"] == "fail"
    assert verdicts(custody.address(owner, "https://tea.example"))["public address"] == "ok"


def test_an_old_backup_is_worth_a_warning(owner: psycopg.Connection[Any], tmp_path: Path) -> None:
    (tmp_path / archive.file_name(datetime.now(UTC) - timedelta(days=3))).touch()
    assert verdicts(custody.backups(tmp_path, owner))["last backup"] == "warn"
    (tmp_path / archive.file_name(datetime.now(UTC))).touch()
    assert verdicts(custody.backups(tmp_path, owner))["last backup"] == "ok"
