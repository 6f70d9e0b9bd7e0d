"""The database that all services share, seen from outside: sizes and connections."""

from shared.database import Row, Transaction


def sizes(tx: Transaction) -> list[Row]:
    """Bytes of tables and indexes in each service's schema."""
    return tx.all(
        """
        SELECT n.nspname AS name, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes
        FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'm')
        WHERE n.nspname IN ('profile', 'segmentation', 'recommend', 'campaign', 'console')
        GROUP BY n.nspname ORDER BY n.nspname
        """
    )


def connections(tx: Transaction) -> list[Row]:
    """How many connections each login holds to this database."""
    return tx.all(
        """
        SELECT usename AS login, count(*) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND usename IS NOT NULL GROUP BY usename ORDER BY usename
        """
    )


def most_connections(tx: Transaction) -> int:
    """How many the server allows in all."""
    return int(tx.value("SELECT current_setting('max_connections')"))
