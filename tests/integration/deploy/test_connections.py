"""The roles never ask PostgreSQL for more connections than it grants: it is said at the start, not under load."""

import pytest

from deploy import connections, topology
from deploy.supervisor import StartError

STOCK = 100 - 3  # max_connections of a PostgreSQL as installed, without those kept for superusers


def test_a_stock_server_is_enough_for_the_default_roles():
    assert sum(connections.needed(topology.scales(), {}).values()) + connections.SPARE <= STOCK


def test_more_processes_than_the_server_has_connections_for_are_refused_with_what_can_be_done(servers):
    asked = topology.scales({"profile-api": 60})
    with pytest.raises(StartError, match=r"profile-api 480.*grants \d+: raise its max_connections to \d+"):
        connections.check(servers.postgres_url, asked, {})
    connections.check(servers.postgres_url, asked, {"ZHIKE_POOL_SIZE": "1"})


def test_a_process_opens_no_more_connections_than_it_can_use_at_once():
    assert connections.of_role(topology.role("profile-api"), {"ZHIKE_API_THREADS": "3"}) == 3
    assert connections.of_role(topology.role("campaign-sender"), {"ZHIKE_POOL_SIZE": "8"}) == 4
    assert connections.of_role(topology.role("beat"), {}) == 0
