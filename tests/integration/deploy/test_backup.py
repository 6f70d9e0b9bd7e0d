"""`zhike backup` and `zhike restore` on real databases: whole or nothing, and never over what somebody would miss."""

import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy import secrets
from deploy.backup import archive, restoring, saving, snapshot
from deploy.backup.place import Place
from deploy.home import Home
from shared.ids import uuid7
from tests.conftest import Servers
from tests.servers import PASSWORDS, TEMPLATE, Database

KEYS = {
    "ZHIKE_DATA_KEY": "a data key of the tests, also 32 characters and more",
    "ZHIKE_SECRET_KEY": "a secret key of the tests, 32 characters and more",
    **{secrets.password_variable(service): password for service, password in PASSWORDS.items()},
}


@pytest.fixture
def shop(servers: Servers) -> Iterator[Database]:
    """A database of a shop with a tea, a person, a run that sends and one that prepares."""
    clone = servers.clone()
    with psycopg.connect(clone.owner_url) as owner:
        owner.execute(
            """
            INSERT INTO recommend.item (item_id, item_key, name, category, version)
            VALUES ('TEA-1', 0, 'Longjing' || chr(10) || 'first line, second line \\N', '{Tea,"Green, early"}', 1)
            """
        )
        owner.execute(
            "CREATE TABLE profile.event_log_00000 PARTITION OF profile.event_log FOR VALUES FROM (0) TO (5000000)"
        )
        owner.execute(
            """
            INSERT INTO profile.event_log (position, message_id, type, occurred_at, received_at, imported, trusted,
                                           source, payload)
            SELECT n, 'm' || n, 'merge', now(), now(), false, true, 'profile', jsonb_build_object('n', n, 'à', '茶')
            FROM generate_series(1, 2000) n
            """
        )
        owner.execute("SELECT setval('profile.intake_id_seq', 4711)")
        for name, status, due in (("Sending", "sending", None), ("Draft", "draft", None), ("Due", "scheduled", "-1 h")):
            campaign(owner, name, status, due)
    yield clone
    servers.drop(clone)


def campaign(owner: psycopg.Connection, name: str, status: str, due: str | None) -> None:
    ids = {"template": uuid7(), "campaign": uuid7(), "run": uuid7(), "name": name, "status": status, "due": due}
    owner.execute("INSERT INTO campaign.template (template_id, name) VALUES (%(template)s, %(name)s)", ids)
    owner.execute(
        """
        INSERT INTO campaign.campaign (campaign_id, name, purpose, segment_id, template_id, status, assignment_salt,
                                       created_by, due_at)
        VALUES (%(campaign)s, %(name)s, 'promotional', %(run)s, %(template)s, %(status)s, 's', 'me',
                now() + %(due)s::interval)
        """,
        ids,
    )
    if status == "sending":
        owner.execute(
            """
            INSERT INTO campaign.run (run_id, campaign_id, number, status, channel, purpose, segment_id, template_id,
                template_version, subject, holdout_share, assignment_salt, recommend_n, recommend_filter,
                attribution_days, replay, as_of, expires_at)
            VALUES (%(run)s, %(campaign)s, 1, 'sending', 'email', 'promotional', %(run)s, %(template)s, 1, '', 0, 's',
                    0, '{}', 28, false, now(), now())
            """,
            ids,
        )


def place(database: Database, folder: Path, **keys: str) -> Place:
    return Place(Home(folder), database.owner_url, "", f"file://{folder}/artifacts", {**KEYS, **keys})


def saved(database: Database, folder: Path) -> Path:
    target = folder / "zhike-20261126T120000Z.zip"
    saving.save(place(database, folder), target)
    return target


def restored(file: Path, into: Database, folder: Path, force: bool = False) -> restoring.Restored:
    return restoring.restore(archive.Reader(file), place(into, folder), force=force, role_prefix=TEMPLATE)


def value(database: Database, query: str) -> object:
    with psycopg.connect(database.owner_url) as owner:
        row = owner.execute(query).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def test_what_is_restored_is_what_was_saved_down_to_the_byte(shop: Database, servers: Servers, tmp_path: Path) -> None:
    file = saved(shop, tmp_path)
    empty = servers.clone()
    done = restored(file, empty, tmp_path)
    assert done.rows == archive.Reader(file).manifest.rows()
    assert done.rows["profile.event_log"] == 2000
    assert value(empty, "SELECT name FROM recommend.item") == "Longjing\nfirst line, second line \\N"
    assert value(empty, "SELECT nextval('profile.intake_id_seq')") == 4712
    # The owner is a service's own role, as if its upkeep had made the partition; and the views are granted.
    with psycopg.connect(empty.url("segmentation")) as reader:
        assert reader.execute("SELECT count(*) FROM profile_out.events_v1").fetchone() == (2000,)
    with psycopg.connect(empty.url("profile")) as profile:
        profile.execute("ALTER TABLE profile.event_log DETACH PARTITION profile.event_log_00000")
    servers.drop(empty)


def test_a_restore_holds_whatever_may_have_been_sent_since(shop: Database, servers: Servers, tmp_path: Path) -> None:
    empty = servers.clone()
    done = restored(saved(shop, tmp_path), empty, tmp_path)
    assert done.paused == ["Due", "Sending"]
    states = "SELECT string_agg(name || ' ' || status, ', ' ORDER BY name) FROM campaign.campaign"
    assert value(empty, states) == "Draft draft, Due paused, Sending paused"
    assert value(empty, "SELECT status FROM campaign.run") == "paused"
    assert value(empty, "SELECT count(*) FROM campaign.campaign WHERE problem LIKE 'restored from a backup%'") == 2
    servers.drop(empty)


def test_a_backup_is_of_one_instant_while_others_write(shop: Database, tmp_path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        with psycopg.connect(shop.owner_url, autocommit=True) as owner:
            while not ended.is_set():
                with owner.transaction():  # always a message and an item together, in tables read one after the other
                    owner.execute("INSERT INTO profile.message_seen VALUES (gen_random_uuid(), now())")
                    owner.execute("INSERT INTO campaign.cap_person VALUES (gen_random_uuid())")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            target = tmp_path / f"{number}.zip"
            rows = saving.save(place(shop, tmp_path), target).rows()
            assert rows["profile.message_seen"] == rows["campaign.cap_person"]
    finally:
        ended.set()
        writer.join()
    assert rows["campaign.cap_person"] > 0


def test_an_installation_in_use_is_not_overwritten_unless_a_person_insists(
    shop: Database, servers: Servers, tmp_path: Path
) -> None:
    file = saved(shop, tmp_path)
    other = servers.clone()
    with psycopg.connect(other.owner_url) as owner:
        owner.execute("INSERT INTO campaign.template (template_id, name) VALUES (gen_random_uuid(), 'Precious')")
    with pytest.raises(restoring.RestoreError, match=r"campaign\.template"):
        restored(file, other, tmp_path)
    assert value(other, "SELECT name FROM campaign.template") == "Precious"
    restored(file, other, tmp_path, force=True)
    assert value(other, "SELECT count(*) FROM campaign.template WHERE name = 'Precious'") == 0
    servers.drop(other)


def test_a_restore_that_fails_half_way_leaves_what_was_there(shop: Database, servers: Servers, tmp_path: Path) -> None:
    other = servers.clone()
    with psycopg.connect(other.owner_url) as owner:
        owner.execute("INSERT INTO campaign.template (template_id, name) VALUES (gen_random_uuid(), 'Precious')")
    bad = tampered(saved(shop, tmp_path), "tables/recommend/item.copy", b"Longjing", b"Biluo___")
    with pytest.raises(archive.ArchiveError, match=r"item\.copy"):
        restored(bad, other, tmp_path, force=True)
    assert value(other, "SELECT name FROM campaign.template") == "Precious"
    assert value(other, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%before_restore'") == 0
    with psycopg.connect(other.url("campaign")) as service:
        assert service.execute("SELECT count(*) FROM console_out.shop_v1").fetchone() == (1,)
    servers.drop(other)


def test_a_restore_that_was_killed_is_undone_by_the_next(shop: Database, servers: Servers, tmp_path: Path) -> None:
    file = saved(shop, tmp_path)
    other = servers.clone()
    with psycopg.connect(other.owner_url) as owner:
        owner.execute("INSERT INTO campaign.template (template_id, name) VALUES (gen_random_uuid(), 'Precious')")
        for schema in restoring.SCHEMAS:
            owner.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}{restoring.ASIDE}")
        owner.execute("CREATE SCHEMA profile")
    with pytest.raises(restoring.RestoreError, match="in use"):
        restored(file, other, tmp_path)
    assert value(other, "SELECT name FROM campaign.template") == "Precious"
    servers.drop(other)


def test_nothing_is_restored_while_a_role_is_connected(shop: Database, servers: Servers, tmp_path: Path) -> None:
    file = saved(shop, tmp_path)
    with (
        psycopg.connect(shop.url("profile"), application_name="zhike-profile"),
        pytest.raises(restoring.RestoreError, match="zhike-profile"),
    ):
        restored(file, shop, tmp_path, force=True)


def test_a_wrong_data_key_and_a_newer_schema_are_noticed_first(shop: Database, tmp_path: Path) -> None:
    reader = archive.Reader(saved(shop, tmp_path))
    assert restoring.check(reader, KEYS) == []
    with pytest.raises(restoring.RestoreError, match="ZHIKE_DATA_KEY"):
        restoring.check(reader, {**KEYS, "ZHIKE_DATA_KEY": "another key of thirty-two letters"})
    (warning,) = restoring.check(reader, {**KEYS, "ZHIKE_SECRET_KEY": "another key of thirty-two letters"})
    assert "links" in warning
    reader.manifest.heads["recommend"] = "recommend_9999"
    with pytest.raises(restoring.RestoreError, match="recommend_9999"):
        restoring.check(reader, KEYS)


def test_no_value_of_a_secret_is_in_a_backup(shop: Database, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved(shop, tmp_path)) as file:
        everything = b"".join(file.read(name) for name in file.namelist())
    assert b"ZHIKE_DATA_KEY" in everything
    assert [name for name, secret in KEYS.items() if secret.encode() in everything] == []


@pytest.mark.parametrize("damage", ["cut", "flip", "manifest", "more"])
def test_a_damaged_file_is_told_from_a_whole_one(shop: Database, tmp_path: Path, damage: str) -> None:
    file = saved(shop, tmp_path)
    whole = file.read_bytes()
    archive.Reader(file).verify()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) * 9 // 10])
    elif damage == "flip":
        with zipfile.ZipFile(file) as members:  # within what is kept: nobody reads a local header's date
            largest = max(members.infolist(), key=lambda member: member.compress_size)
        middle = largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif damage == "manifest":
        file = tampered(file, archive.MANIFEST, b'"rows": 2000', b'"rows": 2001')
        file = tampered(file, archive.MANIFEST, b'"sha256": "', b'"sha256": "0')
    else:
        with zipfile.ZipFile(file, "a") as more:
            more.writestr("tables/recommend/stranger.copy", b"")
    with pytest.raises(archive.ArchiveError):
        archive.Reader(file).verify()


def tampered(file: Path, name: str, before: bytes, after: bytes) -> Path:
    """The same archive with one member changed, as ZIP still in order."""
    target = file.with_name(f"tampered-{file.name}")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for member in source.namelist():
            data = source.read(member)
            out.writestr(member, data.replace(before, after) if member == name else data)
    return target


WRITER = """
import resource, sys
from pathlib import Path
from deploy.backup import saving
from tests.integration.deploy.test_backup import place
from tests.servers import Database
if sys.argv[3] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
folder = Path(sys.argv[2])
target = folder / "zhike-20261126T130000Z.zip"
saving.save(place(Database(sys.argv[1]), folder), target, lambda *_: print("x", flush=True))
"""


def writer(database: Database, folder: Path, limit: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, database.owner_url, str(folder), str(limit)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_full_disk_leaves_no_half_backup(shop: Database, tmp_path: Path) -> None:
    _, said = writer(shop, tmp_path, 4096).communicate(timeout=60)
    assert "OSError" in said
    assert list(tmp_path.iterdir()) == []


def test_a_killed_backup_leaves_nothing_under_a_backups_name(shop: Database, tmp_path: Path) -> None:
    process = writer(shop, tmp_path, 0)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert archive.in_folder(tmp_path) == []
    saved(shop, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["zhike-20261126T120000Z.zip"]


def test_rotation_keeps_the_newest_and_touches_no_other_file(tmp_path: Path) -> None:
    names = [f"zhike-2026112{day}T000000Z.zip" for day in range(5)]
    for name in [*names, "zhike-of-before-the-move.zip"]:
        (tmp_path / name).touch()
    archive.rotate(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names[3:], "zhike-of-before-the-move.zip"]


def test_tables_come_after_those_they_refer_to(shop: Database) -> None:
    with snapshot.connect(shop.owner_url) as connection:
        order = [table.name for table in snapshot.tables(connection) if table.schema == "campaign"]
    assert order.index("campaign") < order.index("run") < order.index("send") < order.index("outcome")


def test_what_comes_from_an_archive_cannot_slip_a_statement_in() -> None:
    with pytest.raises(snapshot.SnapshotError):
        snapshot.Table("profile", "x", (), "event_log", "FOR VALUES FROM ('0') TO ('1'); DROP TABLE profile.identity")


def test_what_migrations_put_in_does_not_count_as_an_installation_in_use(servers: Servers) -> None:
    with snapshot.connect(servers.template.owner_url) as connection:
        assert restoring.in_use(connection) == []
