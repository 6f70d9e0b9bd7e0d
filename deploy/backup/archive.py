"""The file of a backup: a ZIP with one member per table and model file, and a manifest that says what must be in it.

It is written under another name, synced and renamed when it is complete and has been read back; so under its final
name there is never half a backup.
"""

import fcntl
import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
BUILDING: Final = ".building"
NAME: Final = re.compile(r"zhike-\d{8}T\d{6}Z\.zip")
_BLOCK: Final = 1 << 20
_LEVEL: Final = 4  # what more would save is little, what it would cost is minutes


class ArchiveError(RuntimeError):
    """The file is no whole backup that this release can read; the message says why."""


@dataclass(frozen=True)
class Member:
    """One member and what it must be. `rows`: how many rows of a table it holds; None for other files."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None


@dataclass
class Manifest:
    """What a backup says of itself. `secrets`: name -> fingerprint ("" where only the name is kept)."""

    release: str
    created_at: str
    heads: dict[str, str]
    server: str
    secrets: dict[str, str]
    tables: list[dict[str, Any]] = field(default_factory=list)
    sequences: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    format: int = FORMAT

    def rows(self) -> dict[str, int]:
        """Schema and table -> how many rows, partitions counted as their table."""
        held = {member.name: member.rows or 0 for member in self.members}
        counts: dict[str, int] = {}
        for table in self.tables:
            name = f"{table['schema']}.{table['parent'] or table['name']}"
            counts[name] = counts.get(name, 0) + held[table["member"]]
        return counts


class Writer:
    """The archive being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    def add(self, name: str, blocks: Iterable[bytes], count_lines: bool = False) -> Member:
        """Write one member block by block; `count_lines` where each line is a row."""
        digest, size, lines = hashlib.sha256(), 0, 0
        with self._zip.open(name, "w", force_zip64=True) as target:
            for block in blocks:
                target.write(block)
                digest.update(block)
                size += len(block)
                lines += block.count(b"\n") if count_lines else 0
        return Member(name, size, digest.hexdigest(), lines if count_lines else None)

    def close(self, manifest: Manifest) -> None:
        """Write the manifest and the directory: from here on it is an archive."""
        self._zip.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1, ensure_ascii=False))
        self._zip.close()


@contextmanager
def building(target: Path) -> Iterator[IO[bytes]]:
    """A file that becomes `target` when the block ends, and disappears when it raises."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    clear_abandoned(target.parent)
    path = target.with_name(target.name + BUILDING)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            file.flush()
            os.fsync(file.fileno())
            path.replace(target)
            _sync_folder(target.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def clear_abandoned(folder: Path) -> None:
    """Remove what writers that were killed have left; one that still writes holds a lock on its file."""
    for path in folder.glob(f"*{BUILDING}"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            path.unlink(missing_ok=True)


def file_name(now: datetime) -> str:
    """The name of a backup begun at this instant; names sort by time."""
    return f"zhike-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"


def in_folder(folder: Path) -> list[Path]:
    """The backups in a folder, newest first."""
    return sorted((path for path in folder.glob("zhike-*.zip") if NAME.fullmatch(path.name)), reverse=True)


def rotate(folder: Path, keep: int) -> list[Path]:
    """Remove all backups but the newest `keep`; returns what went."""
    gone = in_folder(folder)[keep:]
    for path in gone:
        path.unlink()
    return gone


class Reader:
    """A finished archive. Raises ArchiveError where it cannot be read."""

    def __init__(self, file: Path | IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
            told = json.loads(self._zip.read(MANIFEST))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ArchiveError(f"{file} is no backup, or a part of one: {error}") from error
        if told.get("format") != FORMAT:
            raise ArchiveError(
                f"{file} is of format {told.get('format')}, this release reads {FORMAT}: use the release it names, "
                f"{told.get('release')}"
            )
        told["members"] = [Member(**member) for member in told["members"]]
        self.manifest = Manifest(**told)
        self._told = {member.name: member for member in self.manifest.members}

    def verify(self, heard: Callable[[Member], None] = lambda _: None) -> None:
        """Read all of it and compare with the manifest. Raises ArchiveError naming what is not as written."""
        present = set(self._zip.namelist()) - {MANIFEST}
        if present != set(self._told):
            raise ArchiveError(f"its manifest and its members differ: {', '.join(sorted(present ^ set(self._told)))}")
        for member in self.manifest.members:
            for _ in self.blocks(member.name):
                pass
            heard(member)

    def blocks(self, name: str) -> Iterator[bytes]:
        """A member block by block. Raises ArchiveError at the end where its checksum is not the manifest's."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
                    yield block
        except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise ArchiveError(f"{name} cannot be read: {error}") from error
        told = self._told[name]
        if (size, digest.hexdigest()) != (told.bytes, told.sha256):
            raise ArchiveError(f"{name} is not what was written: its checksum differs")

    def member(self, name: str) -> Member:
        """What the manifest says of a member."""
        return self._told[name]

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
