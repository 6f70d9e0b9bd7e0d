"""Log files that stay bounded, and following them."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 16 << 20
BACKUPS = 4


class BoundedLog:
    """Appends bytes to a file; a full one becomes `.1`, the oldest of BACKUPS goes."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path, self._max_bytes = path, max_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append; turns the file over between two lines."""
        if self._size + len(data) > self._max_bytes and data:
            head, newline, rest = data.partition(b"\n")
            self._append(head + newline)
            self._turn_over()
            data = rest
        self._append(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, data: bytes) -> None:
        with suppress(OSError):  # a full disk costs log lines, not the platform
            self._size += self._file.write(data) or 0

    def _turn_over(self) -> None:
        self._file.close()
        for number in range(BACKUPS, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if newer.exists():
                newer.replace(older)
        self._file = self.path.open("ab", buffering=0)
        self._size = 0


def follow(paths: list[Path], lines: int, forever: bool, pause_s: float = 0.3) -> Iterator[tuple[str, str]]:
    """(name, line) of the last lines of each file, then, if `forever`, of what is added; survives turning over."""
    position: dict[Path, tuple[int, int]] = {}
    for path in paths:
        if path.exists():
            text = path.read_bytes()
            position[path] = (path.stat().st_ino, len(text))
            for line in text.decode(errors="replace").splitlines()[-lines:]:
                yield path.stem, line
    while forever:
        time.sleep(pause_s)
        for path in paths:
            yield from _news(path, position)


def _news(path: Path, position: dict[Path, tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Lines added since the last look; a file that was turned over is read to its end first."""
    number, offset = position.get(path, (0, 0))
    older = path.with_name(f"{path.name}.1")
    data = b""
    try:
        if number and path.stat().st_ino != number:
            data = _rest(older, offset) if older.exists() and older.stat().st_ino == number else b""
            offset = 0
        number = path.stat().st_ino
        added = _rest(path, offset)
    except FileNotFoundError:
        return
    position[path] = (number, offset + len(added))
    for line in (data + added).decode(errors="replace").splitlines():
        yield path.stem, line


def _rest(path: Path, offset: int) -> bytes:
    """What a file has after `offset`, up to its last whole line."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    return data[: data.rfind(b"\n") + 1]
