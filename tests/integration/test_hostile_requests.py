"""A short storm over all five descriptions, through whole apps and a real database. `make test-hostile` is longer."""

from importlib import import_module
from typing import Any

import pytest
import stamina

from shared import contracts
from tests.hostile.doors import AppDoor
from tests.hostile.storm import Outcome, rage

REQUESTS = 700


@pytest.fixture
def storm(database_clone: Any) -> Any:
    """Let it rage at one service."""
    stamina.set_testing(True, attempts=1)

    def run(service: str, requests: int) -> Outcome:
        database_clone("console")
        key = import_module("services.console.actions.keys").create_key("storm", "admin").secret
        app = import_module(f"services.{service}.app").create_app(database_clone(service))
        document = app.test_client().get("/openapi.json").get_json()
        return rage(service, document, [AppDoor(app)], key, number=1, requests=requests, of_each=4)

    yield run
    stamina.set_testing(False)


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_no_hostile_request_makes_a_service_fail_or_talk_of_its_inside(storm: Any, service: str) -> None:
    outcome = storm(service, REQUESTS)
    assert outcome.requests >= REQUESTS
    assert outcome.faults == []
    assert outcome.statuses[200], "nothing got through at all: this storm tests only the door"
