"""Every table has somebody who decided how long its rows are kept."""

import re

import pytest

from deploy import migrate
from deploy.backup import snapshot
from shared import contracts
from tests.conftest import Servers
from tests.unit.test_house_rules import ROOT


def test_it_is_written_down_of_every_table_what_it_grows_by_and_who_removes_it(servers: Servers) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    with snapshot.connect(servers.template.owner_url) as connection:
        names = {f"{table.schema}.{table.parent or table.name}" for table in snapshot.tables(connection)}
    assert {name for name, *_ in rows} == names | {"profile.event_log"}  # no partition of it yet
    assert [name for name, *said in rows if not all(map(str.strip, said))] == []


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_the_migrations_of_a_service_form_one_line(service: str) -> None:
    files = (ROOT / "services" / service / "migrations").glob("[0-9]*.py")
    told = {re.search(r'^revision = "(\w+)"', path.read_text(), re.MULTILINE)[1] for path in files}  # type: ignore[index]
    assert migrate.newest_revision(service) in told
    assert len(told) == len(list((ROOT / "services" / service / "migrations").glob("[0-9]*.py")))
