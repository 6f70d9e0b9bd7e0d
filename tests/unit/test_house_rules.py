"""The rules of the house that no tool of its own checks: sizes, names, rooms, purity, and what is not committed."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared import contracts

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 350
LONGEST_FUNCTION = 70

VAGUE = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "stuff", "util", "utils"}
ROOMS = {"app", "worker", "api", "tasks", "actions", "schemas", "store", "domain"}
LEFT_BEHIND = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Somebody's home, the folder this checkout happens to lie in, or where packages came from.
OF_ONE_MACHINE = re.compile(rf"/root/|/home/\w+/|{re.escape(str(ROOT))}/|--(extra-)?index-url[ =]")
SQL = re.compile(r"\s*(SELECT\s|INSERT INTO\s|UPDATE \w+\s+SET\s|DELETE FROM\s|WITH (RECURSIVE )?\w+ AS\s)")
CLOCKS_AND_DICE = {"random", "secrets", "time", "uuid"}
CALLS_OF_CLOCKS = {"now", "utcnow", "today", "uuid4", "uuid7"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or is about to be, committed, but this one, which spells out what it forbids."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return tuple(
        ROOT / name for name in sorted(set(names)) if (ROOT / name).is_file() and (ROOT / name) != Path(__file__)
    )


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def sources(*tops: str) -> Iterator[Path]:
    """Python files below the given folders; migrations are history and not held to style."""
    for path in tracked():
        parts = path.relative_to(ROOT).parts
        if path.suffix == ".py" and parts[0] in tops and "migrations" not in parts:
            yield path


def rooms(room: str) -> Iterator[Path]:
    """The files of one room (a module or a package) in every service."""
    for path in sources("services"):
        parts = path.relative_to(ROOT / "services").parts
        if len(parts) > 1 and parts[1].removesuffix(".py") == room:
            yield path


def at(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


def docstrings(tree: ast.Module) -> set[int]:
    """Identities of the constants that are docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, owners))
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


def test_no_file_is_too_long_to_be_read_at_a_sitting() -> None:
    lengths = {at(path): path.read_bytes().count(b"\n") for path in sources("shared", "services", "deploy")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_be_seen_at_once() -> None:
    long = []
    for path in sources("shared", "services", "deploy", "tests"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{at(path, node.lineno)} {node.name}: {length} lines")
    assert long == []


def test_every_module_is_named_after_what_it_holds() -> None:
    assert [at(path) for path in tracked() if path.suffix in {".py", ".ts"} and path.stem.lower() in VAGUE] == []


def test_nothing_is_left_behind_for_later() -> None:
    kinds = {".css", ".html", ".js", ".py", ".sh", ".ts", ".yaml", ".yml"}
    left = []
    for path in tracked():
        if path.suffix in kinds or path.name == "Makefile":
            for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if LEFT_BEHIND.search(text):
                    left.append(f"{at(path, line)}: {text.strip()}")
    assert left == []


def test_no_committed_file_names_a_registry_or_a_path_of_one_machine() -> None:
    named = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for line, text in enumerate(content.decode(errors="replace").splitlines(), 1):
            if found := OF_ONE_MACHINE.search(text):
                named.append(f"{at(path, line)}: {found[0]}")
    assert named == []


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_who_knows_one_service_knows_all(service: str) -> None:
    home = ROOT / "services" / service
    present = {path.stem for path in home.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert present >= ROOMS
    assert (home / "migrations").is_dir()
    assert not (home / "migrations" / "__init__.py").exists()


def test_there_is_no_service_that_the_contracts_do_not_name() -> None:
    assert {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")} == set(contracts.SERVICES)


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {parent for path in sources("tests") for parent in path.parents if parent.is_relative_to(ROOT / "tests")}
    assert sorted(at(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_the_rules_are_told_the_time_and_throw_no_dice() -> None:
    asked = []
    for path in (*rooms("domain"), *(ROOT / "shared" / "statistics").glob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names} & (CLOCKS_AND_DICE - {"uuid"})
            elif isinstance(node, ast.ImportFrom):
                taken = {alias.name for alias in node.names}
                names = {str(node.module)} & (CLOCKS_AND_DICE - {"uuid"}) | taken & CALLS_OF_CLOCKS
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                unseeded = node.func.attr == "default_rng" and not node.args and not node.keywords
                names = {node.func.attr} & CALLS_OF_CLOCKS or ({"default_rng"} if unseeded else set())
            else:
                continue
            asked += [f"{at(path, node.lineno)}: {name}" for name in sorted(names)]
    assert asked == []


def test_sql_is_written_in_store_only() -> None:
    written = []
    homes = set(rooms("store"))
    for path in sources("services"):
        if path in homes:
            continue
        told = docstrings(parsed(path))
        for node in ast.walk(parsed(path)):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in told
                and SQL.match(node.value)
            ):
                written.append(f"{at(path, node.lineno)}: {node.value.split()[:4]}")
    assert written == []
