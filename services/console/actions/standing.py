"""How the database stands that all services share, and whether messages may go out."""

from services.console.store import system as store
from shared.database import transaction
from shared.shop import read_shop
from shared.standing import Figure, Standing


def standing() -> Standing:
    """The size of the database by service, who is connected, the sending switch."""
    with transaction(read_only=True, timeout_ms=3000) as tx:
        sizes, connections, most = store.sizes(tx), store.connections(tx), store.most_connections(tx)
        enabled = read_shop(tx).sending_enabled
    by_schema = [
        Figure("zhike_database_bytes", "Tables and indexes of a service.", float(row["bytes"]), {"schema": row["name"]})
        for row in sizes
    ]
    by_role = [
        Figure("zhike_database_connections", "Connections by database role.", float(row["n"]), {"login": row["login"]})
        for row in connections
    ]
    return Standing(
        figures=[
            *by_schema,
            *by_role,
            Figure("zhike_database_connections_limit", "Connections that Postgres allows.", float(most)),
            Figure("zhike_sending_enabled", "Whether messages may go out at all.", float(enabled)),
        ]
    )
