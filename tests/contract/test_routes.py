"""Every route of every service says who may call it."""

from importlib import import_module

import psycopg
import pytest

from shared import contracts


@pytest.fixture
def apps(services):
    return {
        name: import_module(f"services.{name}.app").create_app(services.settings(name)) for name in contracts.SERVICES
    }


def routes(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in ("static", "scripts") and not rule.endpoint.startswith("api-docs."):
            yield rule, app.view_functions[rule.endpoint]


def test_no_route_is_left_without_a_guard(apps):
    bare = [
        f"{name} {rule.rule} ({rule.endpoint})"
        for name, app in apps.items()
        for rule, view in routes(app)
        if not getattr(view, "guard", None)
    ]
    assert bare == []


def test_public_routes_are_few_and_known(apps):
    """A new public route must be added here on purpose."""
    public = {
        f"{name} {rule.rule}" for name, app in apps.items() for rule, view in routes(app) if view.guard == "public"
    }
    operations = {f"{name} /{path}" for name in contracts.SERVICES for path in ("healthz", "readyz", "metrics", "docs")}
    links = {route for route in public if route.startswith("campaign /e/")}
    pages = {f"console /{path}" for path in ("login", "login/code", "logout", "language", "static/<path:filename>")}
    pages |= {"console /forgot", "console /reset/<token>", "console /widget.js"}
    places = ("", "/categories", "/category/<path:name>", "/search", "/item/<path:item_id>", "/cart")
    pages |= {f"console /storefront{place}" for place in (*places, "/log-in", "/log-out")}
    assert public - operations - links <= pages


def test_a_collect_key_opens_no_route_but_the_collector(apps, services):
    """Whatever else it is sent to answers 401 or 403, never anything of ours."""
    for name, app in apps.items():
        api = services.api(name).as_key("collect")
        for rule, view in routes(app):
            if view.guard == "public" or "events:" in view.guard:
                continue
            path = rule.rule
            for argument in rule.arguments:
                for converter in ("uuid:", "int:", "path:", "string:", ""):
                    path = path.replace(f"<{converter}{argument}>", "01920000-0000-7000-8000-000000000000")
            for method in rule.methods - {"OPTIONS", "HEAD"}:
                status = api.open(path, method=method, json={}).status_code
                allowed = (302, 303, 401, 403) if name == "console" else (401, 403)
                assert status in allowed, f"{name} {method} {path} answered {status} to a collect key"


def test_every_published_view_exists_with_exactly_its_readers(servers):
    """`zhike migrate` granted what shared.contracts says, and nothing else."""
    with psycopg.connect(servers.template.owner_url) as connection:
        rows = connection.execute(
            """
            SELECT table_schema || '.' || table_name, grantee FROM information_schema.role_table_grants
            WHERE table_schema LIKE '%%\\_out' AND grantee <> grantor
            """
        ).fetchall()
    found: dict[str, set[str]] = {}
    for view, grantee in rows:
        found.setdefault(view, set()).add(grantee.rpartition("_")[2])
    assert found == {view: set(readers) for view, readers in contracts.PUBLISHED.items()}


@pytest.mark.parametrize("kind", contracts.KEY_SCOPES)
def test_a_key_opens_exactly_the_routes_of_its_scopes(apps, services, kind):
    """Every route of every service with every method: 401 or 403 where the kind lacks the scope, else neither."""
    scopes = contracts.KEY_SCOPES[kind]
    wrong = []
    for name, app in apps.items():
        api = services.api(name).as_key(kind)
        for rule, view in routes(app):
            if view.guard == "public" or view.guard.startswith("session:"):
                continue
            for method in rule.methods - {"OPTIONS", "HEAD"}:
                may = (
                    "*" in scopes
                    or view.guard in scopes
                    or (view.guard.startswith("the key") and _collects(rule, scopes))
                )
                status = api.open(filled(rule), method=method, json={}).status_code
                if (status not in (401, 403)) != may:
                    wrong.append((name, method, rule.rule, status))
    assert wrong == []


def _collects(rule, scopes):
    return ("events:import" if rule.rule == "/v1/import" else "events:collect") in scopes


def filled(rule):
    """The address of a route with an id in each of its places."""
    path = rule.rule
    for argument in rule.arguments:
        for converter in ("uuid:", "int:", "path:", "string:", ""):
            path = path.replace(f"<{converter}{argument}>", "01920000-0000-7000-8000-000000000000")
    return path


def test_pages_of_other_origins_reach_the_collector_and_recommendations_and_nothing_else(apps, services):
    """A preflight asks without a key; only where a browser's own key is of use is it told yes."""
    open_to_pages = set()
    for name, app in apps.items():
        api = services.api(name).as_key(None)
        for rule, _view in routes(app):
            headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
            reply = api.open(filled(rule), method="OPTIONS", headers=headers)
            assert "Access-Control-Allow-Credentials" not in reply.headers
            if "Access-Control-Allow-Origin" in reply.headers:
                assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
                open_to_pages.add(rule.rule)
    assert open_to_pages == {
        *(f"/v1/{call}" for call in ("track", "identify", "page", "screen", "group", "alias", "batch")),
        *("/v1/recommendations", "/v1/recommendations/next", "/v1/recommendations/multi"),
    }


@pytest.mark.parametrize(("service", "path"), [("profile", "/v1/track"), ("recommend", "/v1/recommendations")])
def test_a_refusal_can_be_read_by_the_page_that_got_it(services, service, path):
    reply = services.api(service).as_key(None).post(path, json={"event": "Tea Poured"})
    assert reply.status_code == 401
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
