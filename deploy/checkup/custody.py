"""What has been entrusted to us: keys that open the data, an address that leads back, room, and copies."""

import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from deploy.backup import archive
from deploy.backup.place import KEYS
from deploy.checkup.finding import Finding, judge
from shared import crypto
from shared.config import Settings

SHORTEST_KEY: Final = 32
_OLD_DAYS: Final = 2
_GIGABYTE: Final = 1 << 30
_LOOPBACK: Final = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0")


def keys(connection: psycopg.Connection[Any], values: Mapping[str, str]) -> Finding:
    """Whether the keys are there, long enough, and the ones the data were sealed under."""
    missing = [name for name in KEYS if not values.get(name)]
    if missing:
        remedy = "bring back secrets.env of this installation, or set the variables"
        return Finding("keys", "fail", f"not set: {', '.join(missing)}", remedy)
    short = [name for name in KEYS if len(values[name]) < SHORTEST_KEY]
    if short:
        return Finding("keys", "fail", f"shorter than {SHORTEST_KEY} characters: {', '.join(short)}", "zhike secrets")
    row = connection.execute(
        """
        SELECT coalesce(
            (SELECT sealed FROM profile.identity WHERE sealed IS NOT NULL LIMIT 1),
            (SELECT email FROM console.console_user LIMIT 1)
        ) AS sample
        """
    ).fetchone()
    if row is None or row["sample"] is None:
        return Finding("keys", "ok", "set and long enough; nothing is sealed yet")
    crypto.configure(_settings(values))
    try:
        crypto.unseal(row["sample"])
    except crypto.SealError:
        remedy = "bring back the ZHIKE_DATA_KEY the data were sealed under: nothing else opens them"
        return Finding("keys", "fail", "ZHIKE_DATA_KEY does not open what is sealed in the database", remedy)
    return Finding("keys", "ok", "they open what is sealed in the database")


def _settings(values: Mapping[str, str]) -> Settings:
    data_key, secret_key = (values[name] for name in KEYS)
    return Settings("console", "", "", secret_key, data_key, "", "", {}, "", "info", 1)


def address(connection: psycopg.Connection[Any], configured: str) -> Iterator[Finding]:
    """Where links in messages lead, and who gets any."""
    row: Any = connection.execute("SELECT public_url, allow_list, sending_enabled FROM console.shop").fetchone()
    url = row["public_url"] or configured
    parts = urlsplit(url)
    inside = bool(_LOOPBACK.fullmatch(parts.hostname or "localhost"))
    everybody = row["allow_list"] is None
    yield judge(
        "public address",
        url or "none",
        "set the address customers reach this platform at in the shop's settings, with https",
        fail=inside and everybody,
        warn=inside or parts.scheme != "https",
    )
    who = "everybody who agreed" if everybody else f"{len(row['allow_list'])} addresses of the allow-list"
    yield judge(
        "sending",
        f"on, to {who}" if row["sending_enabled"] else "stopped for all campaigns",
        "the shop's settings have the switch and the allow-list",
        warn=not row["sending_enabled"] or row["allow_list"] == [],
    )


def backups(folder: Path, connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """How old the last one is, and whether the next one has room."""
    kept = archive.in_folder(folder)
    remedy = "zhike backup --keep 14 every night, and copy the file and secrets.env to another place"
    size: Any = connection.execute("SELECT pg_database_size(current_database()) AS bytes").fetchone()
    if kept:
        made = datetime.strptime(kept[0].name, "zhike-%Y%m%dT%H%M%SZ.zip").replace(tzinfo=UTC)
        days = (datetime.now(UTC) - made).total_seconds() / 86400
        yield judge("last backup", f"{days:.1f} days ago: {kept[0].name}", remedy, warn=days > _OLD_DAYS)
    else:
        yield Finding("last backup", "warn", f"none in {folder}", remedy)
    needed = 2 * kept[0].stat().st_size if kept else size["bytes"]
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    yield judge(
        "room for backups",
        f"{free / _GIGABYTE:.1f} GiB free in {folder}; the database has {size['bytes'] / _GIGABYTE:.2f} GiB",
        "--to names another disk, --keep removes old ones",
        warn=free < needed,
    )
