"""The files of published models: out of the folder or object store the registry names, and back into one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import fsspec
import psycopg
from fsspec.implementations.local import LocalFileSystem
from psycopg import sql

from deploy.backup.archive import ArchiveError, Member, Reader, Writer

# Schema -> the table that registers its models: version, path (NULL where its files were given up), published_at.
REGISTRIES: Final = {"recommend": "model"}
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_LAST: Final = "manifest.json"  # a folder without it is no model
_BLOCK: Final = 1 << 20


def save(connection: psycopg.Connection[Any], writer: Writer) -> tuple[list[dict[str, Any]], list[Member]]:
    """Write the files of all registered models; returns what the manifest says of them.

    A model that was given up since the snapshot is entered without files: newer ones have taken its place.
    """
    models, members = [], []
    for schema, table in REGISTRIES.items():
        query = sql.SQL("SELECT version, path FROM {} WHERE path IS NOT NULL ORDER BY version")
        for row in connection.execute(query.format(sql.Identifier(schema, table))).fetchall():
            files = _save_one(schema, row["version"], row["path"], writer)
            members += files
            models.append({"schema": schema, "version": row["version"], "members": [member.name for member in files]})
    return models, members


def _save_one(schema: str, version: str, path: str, writer: Writer) -> list[Member]:
    store, root = fsspec.core.url_to_fs(path)
    try:
        names = sorted(found.rsplit("/", 1)[-1] for found in store.ls(root, detail=False))
    except FileNotFoundError:
        return []
    if _LAST not in names:
        return []
    return [
        writer.add(f"models/{schema}/{version}/{name}", _blocks(store, f"{root}/{name}"))
        for name in names
        if _NAME.fullmatch(name)
    ]


def _blocks(store: fsspec.AbstractFileSystem, path: str) -> Iterator[bytes]:
    with store.open(path, "rb") as file:
        while block := file.read(_BLOCK):
            yield block


def put_back(reader: Reader, artifacts_url: str) -> int:
    """Write the files of all models below `artifacts_url`, over what has their names; returns how many models."""
    count = 0
    for model in reader.manifest.models:
        if not model["members"]:
            continue
        store, root = fsspec.core.url_to_fs(_folder(artifacts_url, model["schema"]))
        final = f"{root}/{_checked(model['version'])}"
        local = isinstance(store, LocalFileSystem)
        target = f"{final}.writing" if local else final
        if store.exists(target):
            store.rm(target, recursive=True)
        store.makedirs(target, exist_ok=True)
        for name in sorted(model["members"], key=lambda name: name.endswith(f"/{_LAST}")):
            with store.open(f"{target}/{_checked(name.rsplit('/', 1)[-1])}", "wb") as file:
                for block in reader.blocks(name):
                    file.write(block)
        if local:
            if store.exists(final):
                store.rm(final, recursive=True)
            store.mv(target, final, recursive=True)
        count += 1
    return count


def register(connection: psycopg.Connection[Any], models: Sequence[Mapping[str, Any]], artifacts_url: str) -> None:
    """Say in the restored registry where the files are now; a model that came without any is registered as given up."""
    for model in models:
        path = f"{_folder(artifacts_url, model['schema'])}/{model['version']}" if model["members"] else None
        table = sql.Identifier(model["schema"], REGISTRIES[model["schema"]])
        connection.execute(
            sql.SQL("UPDATE {} SET path = %(path)s WHERE version = %(version)s").format(table),
            {"path": path, "version": model["version"]},
        )


def _folder(artifacts_url: str, schema: str) -> str:
    if schema not in REGISTRIES:
        raise ArchiveError(f"there is no registry of models in {schema}")
    return f"{artifacts_url.rstrip('/')}/{schema}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ArchiveError(f"{name!r} is no name of a model or of a file of one")
    return name
