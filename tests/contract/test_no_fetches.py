"""Nothing of ours fetches an address somebody names: there are no webhooks, picture or import downloads to abuse.

When one comes (a webhook, an import by URL) it goes through one guarded client, and this page says where that is.
"""

import ast
import socket
import sys
from pathlib import Path

import pytest

from services.campaign.domain import templates, variables
from shared import contracts

ROOT = Path(__file__).resolve().parents[2]
# Modules that can open a connection, and who may import them: to siblings by configured address, to the shop's mail
# server, to the configured place of models; deploy/ asks its own processes whether they are ready.
OPENERS = {
    "aiohttp",
    "boto3",
    "fsspec",
    "ftplib",
    "http",
    "httpx",
    "paramiko",
    "requests",
    "smtplib",
    "socket",
    "urllib3",
}
KNOWN = {
    "shared/client.py": {"requests"},
    "services/campaign/channels/smtp.py": {"smtplib", "socket"},
    "services/console/channels/mail.py": {"smtplib"},
    "shared/process.py": {"socket"},  # the name of this machine
    "services/recommend/artifacts/models.py": {"fsspec"},
}
ADDRESS = "http://198.51.100.7:81/tea.css"  # TEST-NET-2: nobody answers there

_attempts: list[str] = []


def _listen(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        _attempts.append(str(arguments))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_the_known_places_can_open_a_connection():
    found = {}
    for path in sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py")]):
        opened = {name.partition(".")[0] for name in imports(path)} & OPENERS
        opened -= {"http"} if not any(name.startswith("http.client") for name in imports(path)) else set()
        opened |= {"urllib.request"} if any(name.startswith("urllib.request") for name in imports(path)) else set()
        if opened:
            found[str(path.relative_to(ROOT))] = opened
    assert found == KNOWN


@pytest.fixture
def listening():
    """What this process tries to connect to."""
    if not getattr(_listen, "installed", False):
        sys.addaudithook(_listen)
        _listen.installed = True
    _attempts.clear()
    return _attempts


def test_the_ear_hears_a_connection(listening):
    with socket.socket() as probe:
        probe.settimeout(0.01)
        with pytest.raises((ConnectionError, TimeoutError)):
            probe.connect(("127.0.0.1", 1))
    assert listening


def test_a_template_full_of_addresses_is_prepared_without_asking_one(listening):
    source = (
        f'<html><head><link rel="stylesheet" href="{ADDRESS}"><style>@import url({ADDRESS}); '
        f'p {{ background: url({ADDRESS}) }}</style></head><body background="{ADDRESS}"><img src="{ADDRESS}">'
        f'<iframe src="{ADDRESS}"></iframe></body></html>'
    )
    prepared = templates.prepare("Tea", source, None, variables.SAMPLE)
    templates.compile_template(prepared.subject, prepared.html, prepared.text).render(variables.SAMPLE)
    assert listening == []


ITEM = {"item_id": "tea", "name": "Tea", "url": ADDRESS, "image_url": ADDRESS}
TRAITS = {"avatar": ADDRESS, "website": ADDRESS}


@pytest.mark.parametrize(
    ("service", "method", "path", "body"),
    [
        ("recommend", "PUT", "/v1/items", {"items": [ITEM]}),
        ("profile", "POST", "/v1/identify", {"userId": "mei", "traits": TRAITS}),
        ("campaign", "POST", "/v1/templates/preview", {"subject": "Tea", "html": f'<img src="{ADDRESS}">'}),
        ("console", "PUT", "/v1/shop", {"public_url": "http://198.51.100.7:81"}),
    ],
    ids=["catalogue", "trait", "template", "settings"],
)
def test_an_address_somebody_names_is_kept_and_not_asked(services, listening, service, method, path, body):
    services.api(service).open(path, method=method, json=body)
    assert [attempt for attempt in listening if "198.51.100" in attempt] == []


def test_the_siblings_are_those_of_the_configuration_and_nobody_elses():
    from shared.client import sibling

    with pytest.raises(KeyError):
        sibling("198.51.100.7")
    assert set(contracts.SERVICES) == {"profile", "segmentation", "recommend", "campaign", "console"}
