"""`zhike backup` and `zhike restore`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg

from deploy.backup import archive, place, queue, restoring, saving, snapshot
from deploy.cli import data_option
from deploy.migrate import MigrateError
from deploy.secrets import SecretsError

_WIDTH = 44


@click.command()
@data_option
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="[default: backups in the data]")
@click.option("--keep", type=click.IntRange(min=1), help="Then remove all backups there but the newest so many.")
@click.option(
    "--verify", "given", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Only check this file."
)
@click.option("-q", "--quiet", is_flag=True, help="Print the file's name and nothing else.")
def backup(data: Path, folder: Path | None, keep: int | None, given: Path | None, quiet: bool) -> None:
    """Write everything the platform knows into one file, while it runs or not. Keys are not in it: keep secrets.env."""
    if given is not None:
        with _said():
            _describe(given)
        return
    data = data.absolute()
    folder = (folder or data / place.BACKUPS).absolute()
    target = folder / archive.file_name(datetime.now(UTC))
    with _said(), place.opened(data) as here:
        manifest = saving.save(here, target, (lambda *_: None) if quiet else _heard)
        for gone in archive.rotate(folder, keep) if keep else ():
            click.echo(f"removed {gone.name}", err=True)
    if lost := [model["version"] for model in manifest.models if not model["members"]]:
        click.echo(f"models registered without files: {', '.join(lost)}", err=True)
    click.echo(f"{target}" if quiet else f"{target}: {_size(target)}, {len(manifest.tables)} tables, {_of(manifest)}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@data_option
@click.option("--force", is_flag=True, help="Also where an installation is in use: what it holds is replaced.")
def restore(file: Path, data: Path, force: bool) -> None:
    """Make a stopped installation what it was when FILE was written. Verifies first, compares afterwards."""
    data = data.absolute()
    with _said():
        reader = archive.Reader(file)
        click.echo("verifying the backup …")
        reader.verify()
        with place.opened(data, alone=True) as here:
            for warning in restoring.check(reader, dict(here.secrets)):
                click.echo(f"warning: {warning}", err=True)
            done = restoring.restore(reader, here, force=force, say=click.echo)
            queue.forget(here)
    rows = sum(done.rows.values())
    click.echo(f"restored as written: {rows} rows in {len(done.rows)} tables, {done.models} models")
    if done.applied:
        click.echo(f"migrations since then: {', '.join(done.applied)}")
    for name in done.paused:
        click.echo(f"paused until a person resumes it: campaign {name!r} (it may have been sent after the backup)")
    click.echo("start it: zhike up")


@contextmanager
def _said() -> Iterator[None]:
    """What can go wrong becomes a message and exit code 1."""
    try:
        yield
    except (
        *(archive.ArchiveError, place.PlaceError, restoring.RestoreError, snapshot.SnapshotError),
        *(MigrateError, SecretsError, OSError, psycopg.Error),
    ) as error:
        raise click.ClickException(str(error)) from error


def _describe(file: Path) -> None:
    reader = archive.Reader(file)
    reader.verify()
    manifest = reader.manifest
    click.echo(f"{file}: whole, {_size(file)}")
    click.echo(f"made {manifest.created_at} by release {manifest.release} on PostgreSQL {manifest.server}")
    click.echo(f"schemas: {', '.join(f'{service} at {head}' for service, head in manifest.heads.items())}")
    click.echo(f"secrets it needs: {', '.join(manifest.secrets)}")
    for name, rows in sorted(manifest.rows().items()):
        _heard(name, rows)
    click.echo(_of(manifest))


def _heard(table: str, rows: int) -> None:
    click.echo(f"  {table:<{_WIDTH}}{rows:>12}")
    sys.stdout.flush()


def _of(manifest: archive.Manifest) -> str:
    return f"{sum(manifest.rows().values())} rows, {sum(1 for model in manifest.models if model['members'])} models"


def _size(file: Path) -> str:
    return f"{file.stat().st_size / (1 << 20):.1f} MiB"
