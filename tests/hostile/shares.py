"""One service's part of the long storm, carried out by a process of its own."""

from dataclasses import dataclass
from typing import Any, Final

import requests

from deploy import topology
from tests.hostile.doors import PortDoor
from tests.hostile.storm import Outcome, rage

OF_EACH: Final = 30  # generated requests of each kind for each operation; each is spoilt in many ways


@dataclass(frozen=True)
class Share:
    """What one process is to do."""

    service: str
    base_port: int
    key: str
    number: int
    requests: int


def document_of(service: str, base_port: int) -> dict[str, Any]:
    """The OpenAPI document of a running service."""
    document: dict[str, Any] = requests.get(f"http://127.0.0.1:{base_port}/openapi/{service}.json", timeout=30).json()
    return document


def carry_out(share: Share) -> Outcome:
    """One service's part, half of it through the proxy."""
    doors = [PortDoor(share.base_port), PortDoor(topology.port_of(share.service, share.base_port))]
    document = document_of(share.service, share.base_port)
    return rage(
        share.service, document, doors, share.key, number=share.number, requests=share.requests, of_each=OF_EACH
    )
