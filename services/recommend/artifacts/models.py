"""A model as files: one folder a version, complete or not there.

    <version>/manifest.json        format, version, as-of, parameters, counts, and the SHA-256 of each other file
    <version>/item_ids.json        item ids; their order is the rows of the arrays
    <version>/item_factors.npy     items × factors, float32, C order: mapped into memory, shared by processes
    <version>/popularity.npy       items, float32
    <version>/neighbour_items.npy, neighbour_weights.npy, ease_items.npy, ease_weights.npy    items × kept
    <version>/fresh.npy, due.npy, due_weights.npy    items, items and figures, float32
    <version>/popularity_by_country.npy    countries (named in the manifest) × items, float32
    <version>/pair_starts.npy, pair_items.npy, pair_lifts.npy    bought together: partners of each item and their lifts
    <version>/trending.npy, trending_by_country.npy, rhythms.npy    items (countries × items), float32
    <version>/item_codes.npy, item_steps.npy    of large catalogues: the factors for a quick scan, int8 and float32

Written under another name, synced, then renamed. Where a store cannot rename folders (object stores), the manifest is
written last: a folder without one is no model.
"""

import hashlib
import io
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import fsspec
import numpy as np
import orjson
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

FORMAT: Final = 2
_READ: Final = (1, FORMAT)  # what the format before lacks is what a model can do without
MANIFEST: Final = "manifest.json"
ITEM_IDS: Final = "item_ids.json"
_BLOCK: Final = 1 << 20


@dataclass
class _Place:
    url: str = ""


_place = _Place()


def configure(url: str) -> None:
    """Say where this installation's artefacts are (an fsspec URL). Called once by app.py and worker.py."""
    _place.url = f"{url.rstrip('/')}/recommend"


class BrokenArtifact(Exception):
    """A published model cannot be used: files missing, altered, or of a format we do not know."""


@dataclass(frozen=True)
class Artifact:
    """A model read back: its manifest, its item ids and its arrays by name."""

    manifest: dict[str, Any]
    item_ids: list[str]
    arrays: dict[str, NDArray[Any]]


def write(version: str, manifest: Mapping[str, Any], item_ids: list[str], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Write a model and return its path. After this returns it is complete and on disk."""
    files, root = fsspec.core.url_to_fs(_place.url)
    parts = {ITEM_IDS: orjson.dumps(item_ids)} | {f"{name}.npy": _npy(array) for name, array in arrays.items()}
    sums = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in parts.items()}
    head = orjson.dumps({"format": FORMAT, "version": version, **manifest, "files": sums}, option=orjson.OPT_INDENT_2)
    if isinstance(files, LocalFileSystem):
        _write_locally(Path(root), version, {**parts, MANIFEST: head})
    else:
        for name, data in {**parts, MANIFEST: head}.items():
            files.pipe_file(f"{root}/{version}/{name}", data)
    return f"{_place.url}/{version}"


def read(path: str) -> Artifact:
    """A model from its path, every file checked; on a local disk its arrays are mapped, not loaded.

    Raises BrokenArtifact.
    """
    files, root = fsspec.core.url_to_fs(path)
    try:
        manifest = orjson.loads(files.cat_file(f"{root}/{MANIFEST}"))
        if manifest["format"] not in _READ:
            raise BrokenArtifact(f"{path} has format {manifest['format']}, this program reads {_READ}")
        for name, told in manifest["files"].items():
            if _sha256(files, f"{root}/{name}") != told["sha256"]:
                raise BrokenArtifact(f"{path}/{name} is not what was written")
        names = [name.removesuffix(".npy") for name in manifest["files"] if name.endswith(".npy")]
        item_ids = orjson.loads(files.cat_file(f"{root}/{ITEM_IDS}"))
        return Artifact(manifest, item_ids, {name: _array(files, f"{root}/{name}.npy") for name in names})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenArtifact(f"{path} cannot be read: {error}") from error


def sweep(keep: Collection[str]) -> None:
    """Remove what is not a version to keep: old models, and what interrupted writers left.

    A process that has an old one mapped keeps it until it lets go.
    """
    files, root = fsspec.core.url_to_fs(_place.url)
    if not files.exists(root):
        return
    for path in files.ls(root, detail=False):
        if path.rstrip("/").rsplit("/", 1)[-1] not in keep:
            files.rm(path, recursive=True)


def _write_locally(root: Path, version: str, parts: Mapping[str, bytes]) -> None:
    building, final = root / f"{version}.writing", root / version
    building.mkdir(parents=True)
    for name, data in parts.items():
        with (building / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    _sync_folder(building)
    building.rename(final)
    _sync_folder(root)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _array(files: fsspec.AbstractFileSystem, path: str) -> NDArray[Any]:
    if isinstance(files, LocalFileSystem):
        # A plain array over the mapping: numpy's memmap class makes every slice and product slower.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)).view(np.ndarray)
    whole: NDArray[Any] = np.load(io.BytesIO(files.cat_file(path)), allow_pickle=False)
    return whole


def _sha256(files: fsspec.AbstractFileSystem, path: str) -> str:
    digest = hashlib.sha256()
    with files.open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
