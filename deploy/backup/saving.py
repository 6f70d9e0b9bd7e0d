"""Making a backup of an installation, running or not."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from deploy.backup import archive, models, snapshot
from deploy.backup.place import Place, fingerprints


def save(place: Place, target: Path, heard: Callable[[str, int], None] = lambda *_: None) -> archive.Manifest:
    """Write everything into `target`, read it back, and only then give it its name. Returns its manifest.

    `heard` is told of each table and its rows. Raises SnapshotError, ArchiveError, OSError (a full disk); then
    nothing is left behind.
    """
    with archive.building(target) as file:
        writer = archive.Writer(file)
        with snapshot.connect(place.owner_url) as connection, snapshot.frozen(connection) as tables:
            manifest = archive.Manifest(
                release=release(),
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                heads=snapshot.heads(connection),
                server=connection.info.parameter_status("server_version") or "",
                secrets=fingerprints(place.secrets),
                sequences=snapshot.sequences(connection),
            )
            # Models first: the registry gives old ones up, and their files go with them.
            manifest.models, manifest.members = models.save(connection, writer)
            for table in tables:
                name = f"tables/{table.schema}/{table.name}.copy"
                member = writer.add(name, snapshot.rows_of(connection, table), count_lines=True)
                manifest.members.append(member)
                manifest.tables.append({**asdict(table), "member": name})
                heard(f"{table.schema}.{table.name}", member.rows or 0)
        writer.close(manifest)
        archive.Reader(file).verify()
    return manifest


def release() -> str:
    """The version of this code."""
    return importlib.metadata.version("zhike")
