"""docker-compose.yml, Dockerfile and Caddyfile say what the code says: roles, queues, ports, routes, variables."""

import ast
import json
import re
import subprocess
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml

from deploy import environment, proxy, secrets, topology
from deploy.cli import main
from deploy.environment import Surroundings
from shared import contracts, queue
from tests.journey.composed import Composed

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
CADDYFILE = ROOT / "deploy" / "Caddyfile"
RUNNING = topology.scales()
DEFAULT_ROLES = [role for role in topology.ROLES if RUNNING[role.name]]
OPERATIONS = {"/healthz", "/readyz", "/metrics", "/statusz", "/openapi.json", "/docs"}
AROUND = Surroundings(
    "postgresql://zhike:x@postgres:5432/zhike", "redis://", 8400, secrets.make(), Path("/a"), "http://p"
)


def container(role):
    return COMPOSE["services"][role.name]


def variables(name):
    return COMPOSE["services"][name].get("environment", {})


def image_variables():
    block = re.search(r"^ENV (.+?)\n\n", DOCKERFILE, re.MULTILINE | re.DOTALL).group(1)
    return dict(re.findall(r"(\w+)=(\S+)", block))


# Roles


def test_compose_runs_the_default_roles_and_what_they_stand_on():
    servers = {"postgres", "redis", "migrate", "mail"}
    ours = {name for name, entry in COMPOSE["services"].items() if "profiles" not in entry}
    assert ours == {role.name for role in DEFAULT_ROLES} | servers


def test_the_journeys_on_given_servers_start_what_compose_starts_and_no_tool(tmp_path):
    composed = Composed(tmp_path, 8400, "postgresql://", "redis://")
    assert set(composed.services) == {role.name for role in DEFAULT_ROLES if role.kind != "proxy"} | {"migrate"}


@pytest.mark.parametrize("role", [role for role in DEFAULT_ROLES if role.kind == "api"], ids=lambda role: role.name)
def test_an_api_container_serves_its_service_and_is_probed(role):
    assert container(role)["command"] == ["api", role.service, "--host", "0.0.0.0"]
    assert container(role)["healthcheck"]["test"][-2:] == ["probe", role.service]


@pytest.mark.parametrize("role", [role for role in DEFAULT_ROLES if role.kind == "worker"], ids=lambda role: role.name)
def test_a_worker_container_consumes_the_queues_of_its_role(role):
    queues = ",".join(topology.queues_of(role.name, RUNNING))
    expected = ["worker", role.service, "--queues", queues, "--concurrency", str(role.concurrency)]
    assert container(role)["command"] == expected


def test_every_container_command_is_a_command_of_ours():
    for name, entry in COMPOSE["services"].items():
        if entry["image"] == "zhike":
            assert entry["command"][0] in main.list_commands(click.Context(main)), name


def test_the_image_starts_roles_through_the_one_entry_point():
    assert '["python", "-m", "deploy"]' in re.search(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE).group(1)


def test_all_roles_wait_for_the_migration():
    for role in DEFAULT_ROLES:
        if role.kind in ("api", "worker", "beat"):
            assert container(role)["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


# Ports


def test_the_image_exposes_the_ports_of_the_apis():
    exposed = {int(port) for port in re.search(r"^EXPOSE (.+)$", DOCKERFILE, re.MULTILINE).group(1).split()}
    assert exposed == {topology.port_of(service) for service in contracts.SERVICES}


def test_containers_find_their_siblings_on_the_ports_of_the_code():
    for service in contracts.SERVICES:
        expected = f"http://{service}-api:{topology.port_of(service)}"
        assert variables("profile-api")[f"{service.upper()}_URL"] == expected


def test_no_two_listeners_share_a_port():
    offsets = [role.port for role in topology.ROLES if role.port is not None]
    offsets += [topology.POSTGRES_PORT, topology.VALKEY_PORT]
    assert len(offsets) == len(set(offsets))
    assert max(offsets) == topology.METRICS_PORT


# Variables


@pytest.mark.parametrize("role", [role for role in DEFAULT_ROLES if role.service], ids=lambda role: role.name)
def test_a_container_gets_exactly_the_variables_its_role_gets_from_zhike_up(role):
    told = set(variables(role.name)) - {"ZHIKE_LOG_LEVEL", "OMP_NUM_THREADS", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    sources = (ROOT / "services" / role.service).rglob("*.py")
    of_its_own = {name for path in sources for name in re.findall(r'env\.\w+\("(\w+)"', path.read_text())}
    assert told == set(environment.for_service(AROUND, role.service)) | of_its_own


def test_every_setting_the_code_reads_without_a_default_is_given():
    tree = ast.parse((ROOT / "shared" / "config.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    read = {
        call.args[0].value
        for call in calls
        if ast.unparse(call.func) == "env.str" and len(call.args) == 1
        if isinstance(call.args[0], ast.Constant)
    }
    assert read
    assert read <= set(environment.for_service(AROUND, "profile"))


@pytest.mark.parametrize("role", [role for role in DEFAULT_ROLES if role.service], ids=lambda role: role.name)
def test_a_role_logs_in_as_its_own_database_role_and_knows_no_other_password(role):
    text = json.dumps(variables(role.name))
    assert f"//zhike_{role.service}:${{{secrets.password_variable(role.service)}:?}}@" in text
    others = {secrets.password_variable(service) for service in contracts.SERVICES if service != role.service}
    assert not [name for name in {*others, secrets.POSTGRES_PASSWORD} if name in text]
    local = json.dumps(environment.for_role(AROUND, role))
    mine = secrets.password_variable(role.service)
    assert not [
        name for name in secrets.NAMES if name.endswith("PASSWORD") and name != mine and AROUND.secrets[name] in local
    ]


def test_the_migration_gets_every_password_and_roles_get_no_owner():
    assert set(map(secrets.password_variable, contracts.SERVICES)) < set(variables("migrate"))
    assert set(variables("migrate")) <= set(environment.for_migration(AROUND))


def test_the_beat_needs_the_queue_and_nothing_else(monkeypatch):
    for name, value in {"DATABASE_URL": AROUND.owner_url, **AROUND.secrets}.items():
        monkeypatch.setenv(name, value)
    assert set(variables("beat")) == {"REDIS_URL", "ZHIKE_LOG_LEVEL"}
    beat = environment.for_role(AROUND, topology.role("beat"))
    assert not [name for name in ("DATABASE_URL", *secrets.NAMES) if name in beat]


def test_secrets_for_compose_are_the_secrets_of_the_code():
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{(\w+):\?", text))
    assert used == set(secrets.NAMES)


def test_native_threads_are_pinned_in_the_image_as_in_zhike_up():
    pinned = {name: value for name, value in image_variables().items() if name.endswith("_NUM_THREADS")}
    local = environment.for_role(AROUND, topology.role("profile-api"))
    assert pinned == {name: local[name] for name in environment.NATIVE_THREADS}
    for role in DEFAULT_ROLES:
        wanted = variables(role.name).get("OMP_NUM_THREADS", "1") if role.service else "1"
        assert wanted == str(role.native_threads), role.name


# Queues and tasks


def test_every_queue_has_a_consumer():
    consumed = {queue for role in DEFAULT_ROLES for queue in topology.queues_of(role.name, RUNNING)}
    assert set(contracts.TASKS.values()) <= consumed


def test_a_dedicated_worker_takes_its_queue_from_the_shared_one():
    for role in topology.ROLES:
        if role.kind == "worker" and len(role.queues) == 1:
            running = topology.scales({role.name: 1})
            takers = [name for name in running if role.queues[0] in topology.queues_of(name, running)]
            assert takers == [role.name]


def test_work_that_takes_minutes_shares_no_process_with_work_that_somebody_waits_for():
    of_minutes = (contracts.RECOMMEND_TRAINER, contracts.SEGMENTATION_BATCH, contracts.CAMPAIGN_PREPARER)
    for slow in (*of_minutes, contracts.CAMPAIGN_SENDER):
        (taker,) = [role.name for role in DEFAULT_ROLES if slow in topology.queues_of(role.name, RUNNING)]
        assert topology.queues_of(taker, RUNNING) == (slow,)


def test_tidying_up_holds_up_no_reader_no_refresh_and_no_send():
    waited_for = {"append_intake", "read_events", "refresh_segment", "publish_outcomes", "send"}
    with_tidying = {queue for task, queue in contracts.TASKS.items() if task.endswith(".upkeep")}
    assert not [
        task for task, queue in contracts.TASKS.items() if queue in with_tidying and task.split(".")[1] in waited_for
    ]


def test_queues_belong_to_the_service_that_consumes_them():
    for role in topology.ROLES:
        assert {name.partition(".")[0] for name in role.queues} <= {role.service}
        if role.service and role.kind == "worker":
            assert set(role.queues) <= set(queue.queues_of(role.service))


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_every_task_is_registered_by_its_service(service):
    from celery import current_app

    module = import_module(f"services.{service}.tasks")
    current_app.finalize()
    own = {name for name, where in contracts.TASKS.items() if where.partition(".")[0] == service}
    assert own <= set(current_app.tasks), module.__name__
    assert set(getattr(module, "SCHEDULE", {})) <= own


# Routes


def test_the_committed_caddyfile_is_the_one_the_code_makes():
    assert CADDYFILE.read_text() == proxy.compose_config(), "python -m deploy.proxy > deploy/Caddyfile"


def caddy_routes():
    """(path patterns, upstream host) in order, as Caddy itself understands the committed file."""
    command = [proxy.binary(), "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (server,) = json.loads(done.stdout)["apps"]["http"]["servers"].values()
    for route in server["routes"]:
        text = json.dumps(route)
        upstream = re.search(r'"name": "([\w-]+)-api", "port": "(\d+)"', text)
        patterns = [pattern for match in route.get("match", []) for pattern in match.get("path", [])]
        if patterns or upstream:
            yield patterns, upstream.groups() if upstream else None


def matches(pattern, path):
    return path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def through_caddy(path):
    for patterns, upstream in caddy_routes():
        if not patterns or any(matches(pattern, path) for pattern in patterns):
            return upstream
    raise AssertionError(f"nothing answers {path}")


@pytest.mark.parametrize(
    "path", ["/", "/login", "/v1/shop", "/v1/keys", "/v1/pages", "/v1/logs", "/evil", "/v1/customersx"]
)
def test_what_no_service_claims_is_the_consoles(path):
    assert topology.service_of(path) == "console"
    assert through_caddy(path) == ("console", str(topology.port_of("console")))


@pytest.mark.parametrize(
    ("path", "service"),
    [(path, service) for service, prefixes in topology.ROUTES.items() for p in prefixes for path in (p, f"{p}/x/y")],
)
def test_the_proxy_leads_where_the_code_says(path, service):
    assert topology.service_of(path) == service
    assert through_caddy(path) == (service, str(topology.port_of(service)))


@pytest.mark.parametrize("path", topology.PRIVATE_PATHS)
def test_what_is_for_operators_does_not_pass_the_proxy(path):
    assert through_caddy(path) is None


def test_every_route_of_every_service_is_reached_through_the_proxy(services):
    """A path whose prefix is missing in ROUTES, or belongs to another service, would answer 404 in production only."""
    lost = []
    for name in contracts.SERVICES:
        app = import_module(f"services.{name}.app").create_app(services.settings(name))
        paths = {re.sub(r"<[^>]+>", "x", rule.rule) for rule in app.url_map.iter_rules()}
        lost += [f"{name} {path}" for path in paths - OPERATIONS if topology.service_of(path) != name]
    assert lost == []
