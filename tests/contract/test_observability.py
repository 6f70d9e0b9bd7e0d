"""Dashboards and alert rules ask only for metrics that the running code shows, in PromQL that can be read."""

import ast
import json
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from deploy import topology
from shared import contracts
from shared.config import DEFAULT_BASE_PORT

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "deploy" / "observability"
DASHBOARDS = sorted((HOME / "dashboards").glob("*.json"))
RULES = [rule for group in yaml.safe_load((HOME / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
NAME = re.compile(r"\b(?:zhike|http)_[a-z_]+\b")
FUNCTIONS = {"sum", "max", "min", "count", "rate", "increase", "histogram_quantile", "time", "vector", "absent"}
WORDS = FUNCTIONS | {"by", "and", "or", "on", "le"}


def expressions():
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]
    for rule in RULES:
        yield rule["alert"], rule["expr"]


def counted() -> set[str]:
    """Samples of the counters and histograms of every module, the beat's included."""
    for module in ("shared.queue", "shared.web", "deploy.beat", *(f"services.{s}.tasks" for s in contracts.SERVICES)):
        import_module(module)
    for service in contracts.SERVICES:
        import_module(f"services.{service}.app")
    names = set()
    for family in REGISTRY.collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
        if family.type == "histogram":
            names |= {f"{family.name}_{end}" for end in ("bucket", "sum", "count")}
    return names


def read_at_the_scrape() -> set[str]:
    """The names that code gives to metrics.family() and Figure()."""
    names = {"zhike_role_up"}
    for path in [*(ROOT / "shared").glob("*.py"), *(ROOT / "services").rglob("*.py"), *(ROOT / "deploy").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = ast.unparse(node.func).rpartition(".")[2]
                counts = any(word.arg == "counts" for word in node.keywords)
                if called in ("family", "Figure"):
                    names.add(f"{node.args[0].value}{'_total' if counts else ''}")
    return names


EXPORTED = counted() | read_at_the_scrape()


def test_there_is_a_dashboard_for_each_subject():
    assert {path.stem for path in DASHBOARDS} == {
        *("zhike-overview", "zhike-events", "zhike-sending", "zhike-recommendations", "zhike-machines")
    }
    uids = [json.loads(path.read_text())["uid"] for path in DASHBOARDS]
    assert uids == [path.stem for path in DASHBOARDS]


@pytest.mark.parametrize(("where", "asked"), list(expressions()), ids=lambda text: text[:60])
def test_what_is_asked_for_is_exported_and_can_be_read(where, asked):
    names = set(NAME.findall(asked))
    assert names
    assert names <= EXPORTED, where
    for opening, closing in ("()", "[]", "{}"):
        assert asked.count(opening) == asked.count(closing), where
    called = set(re.findall(r"\b([a-z_]+) *\(", asked)) - {"by"}
    assert called <= FUNCTIONS, where
    assert all(re.fullmatch(r"\d+[smh]", span) for span in re.findall(r"\[([^]]*)\]", asked)), where
    for name in names:
        if name.endswith(("_total", "_bucket")):
            assert re.search(rf"(rate|increase)\({name}(\{{[^}}]*\}})?\[", asked), f"{where}: {name} only grows"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_where_it_is_written_what_to_do(rule):
    told = rule["annotations"]
    assert told["summary"]
    assert told["description"]
    page, _, section = told["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert section in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_prometheus_asks_the_one_page_that_has_everything():
    config = yaml.safe_load((HOME / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["honor_labels"] is True
    port = DEFAULT_BASE_PORT + topology.METRICS_PORT
    assert job["static_configs"] == [{"targets": [f"metrics:{port}"]}]
    assert config["rule_files"] == ["alerts.yml"]
