"""Loops compiled by numba, where calling one small thing after the other would cost more than what they do.

What has been compiled once is kept on disk and taken up in milliseconds. `make setup` and the image's build import the
modules that have such loops once, so that no process compiles while somebody waits. Loading numba costs a process some
100 MB: import them only where they run.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from numba import config, njit, types

T = TypeVar("T", bound=Callable[..., Any])

_ROOT: Final = Path(__file__).parent.parent
_ROOMS: Final = ("domain", "store")  # where loops are, and what is built into them
_FOLDER: Final = "loops-"
_KEPT_S: Final = 24 * 3600


def folder(root: Path, base: Path) -> Path:
    """Where the loops of these very sources are kept; folders of others are removed after a day.

    numba itself notices a change only in the file of the loop it loads, not in those of the loops and tables built
    into it.
    """
    digest = hashlib.blake2b(digest_size=8)
    for room in _ROOMS:
        for path in sorted((root / "services").glob(f"*/{room}/**/*.py")):
            digest.update(path.read_bytes())
    chosen = base / f"{_FOLDER}{digest.hexdigest()}"
    with suppress(OSError):  # read-only: then each process compiles for itself
        chosen.mkdir(parents=True, exist_ok=True)
        for other in base.glob(f"{_FOLDER}*"):
            if other != chosen and time.time() - other.stat().st_mtime > _KEPT_S:
                shutil.rmtree(other, ignore_errors=True)
    return chosen


_base: Final = Path(os.environ.get("NUMBA_CACHE_DIR") or _ROOT / "shared" / "__pycache__")
config.CACHE_DIR = str(folder(_ROOT, _base))  # type: ignore[attr-defined]


def compiled(*arguments: types.Type, lets_others_run: bool = False) -> Callable[[T], T]:
    """Compile a function for arguments of exactly these types; others are a TypeError.

    `lets_others_run`: other threads run Python meanwhile; taking turns costs more than a loop of a few microseconds.
    Where nothing can be kept on disk it is compiled for this process alone.
    """

    def decorate(function: T) -> T:
        try:
            made: Any = njit(arguments, cache=True, nogil=lets_others_run)(function)
        except RuntimeError:  # numba's word for "no folder to keep it in"
            made = njit(arguments, nogil=lets_others_run)(function)
        return cast("T", made)

    return decorate
