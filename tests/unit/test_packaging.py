"""What is installed is what was locked, from wherever it comes; and what the code imports is declared."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy import build_assets

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").rglob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked(lock: Path) -> dict[str, set[str]]:
    """Name -> versions of a lock file (two where Python versions need different ones)."""
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    versions: dict[str, set[str]] = {}
    for name, version in pins:
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


def declared(*extras: str) -> set[str]:
    """Canonical names that pyproject.toml asks for, with the given extras."""
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in PROJECT["optional-dependencies"][extra])]
    return {canonicalize_name(Requirement(text).name) for text in texts}


def imported(*folders: str) -> dict[str, set[str]]:
    """Top-level modules of others that the code below these folders imports -> the files that do."""
    ours = {"shared", "services", "deploy", "tests"}
    users: dict[str, set[str]] = {}
    # Scripts of clients/ run in those clients' own environments.
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py") if file.parent.name != "clients")
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - ours - sys.stdlib_module_names:
                users.setdefault(top, set()).add(str(path.relative_to(ROOT)))
    return users


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_is_checked_by_hash_and_no_lock_says_where_to_get_it(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    stanzas = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [stanza.partition(" ")[0] for stanza in stanzas if "--hash=sha256:" not in stanza] == []
    assert re.findall(r"^.*(?:://|^-[^-]|--index|--find-links).*$", text, re.MULTILINE) == []


def test_the_lock_holds_all_that_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    assert declared(*extras) - set(locked(ROOT / "requirements/lock.txt")) == set()
    assert declared() - set(locked(ROOT / "requirements/server.txt")) == set()


def test_a_server_runs_the_very_versions_that_were_tested() -> None:
    tested = locked(ROOT / "requirements/lock.txt")
    served = locked(ROOT / "requirements/server.txt")
    assert {name: versions for name, versions in served.items() if tested.get(name) != versions} == {}


def test_the_code_imports_only_what_it_declares() -> None:
    distributions = packages_distributions()
    allowed = declared("local", "demo", "dev")
    undeclared = {
        module: sorted(files)
        for module, files in imported("shared", "services", "deploy", "tests").items()
        if not allowed & {canonicalize_name(name) for name in distributions.get(module, [])}
    }
    assert undeclared == {}


def test_a_server_needs_nothing_of_the_demo_or_of_development() -> None:
    distributions = packages_distributions()
    allowed = declared()
    undeclared = {
        module: sorted(files)
        for module, files in imported("shared", "services").items()
        if not allowed & {canonicalize_name(name) for name in distributions.get(module, [])}
    }
    assert undeclared == {}


def test_the_lock_of_the_pages_says_no_addresses_and_has_a_hash_for_each_package() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    bought = {name: package for name, package in packages.items() if name}
    assert [name for name, package in bought.items() if "resolved" in package] == []
    assert [name for name, package in bought.items() if "integrity" not in package] == []


def test_the_pages_get_exactly_the_wanted_files_and_the_licence_of_each_package(tmp_path: Path) -> None:
    modules, vendor = tmp_path / "node_modules", tmp_path / "vendor"
    for package, files in build_assets.WANTED.items():
        for file in (*files, "LICENSE"):
            target = modules / package / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(f"{package} {file}", encoding="utf-8")
    vendor.mkdir()
    (vendor / "of-yesterday.js").touch()

    build_assets.copy_wanted(modules, vendor)

    held = {str(path.relative_to(vendor)) for path in vendor.rglob("*") if path.is_file()}
    wanted = {Path(file).name for files in build_assets.WANTED.values() for file in files}
    assert held == wanted | {f"licences/{package}.txt" for package in build_assets.WANTED}


def test_it_is_free_software_under_the_apache_licence() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text


def test_ci_can_start_its_script_from_a_fresh_clone() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--stage", ".ci/run", "requirements/install.sh"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split()[0] for line in listing.stdout.splitlines()] == ["100755", "100755"]


def test_make_lists_all_that_it_can_make() -> None:
    listing = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    goals = {line.split()[1] for line in listing.splitlines()}
    assert goals >= {"help", "setup", "demo", "run", "stop", "test", "lint", "bench", "lock"}
