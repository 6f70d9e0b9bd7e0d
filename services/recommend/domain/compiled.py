"""Loops for which numpy has no single word, compiled: an answer is made of many short ones, and each call costs.

What has been compiled once is kept on disk (beside the source, or in NUMBA_CACHE_DIR) and taken up in milliseconds.
`make setup` and the image's build import these modules once, so that no process compiles while somebody waits.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from numba import njit, types

T = TypeVar("T", bound=Callable[..., Any])

# Arrays are only read unless a signature says otherwise: a model's are mapped from files that nobody may write.
FLOATS: Final = types.Array(types.float32, 1, "A", readonly=True)
MATRIX: Final = types.Array(types.float32, 2, "C", readonly=True)
KEYS: Final = types.Array(types.int64, 1, "A", readonly=True)
KINDS: Final = types.Array(types.int16, 1, "A", readonly=True)
ROW: Final = types.Array(types.float32, 1, "C", readonly=True)
THREE_FLOATS: Final = types.Tuple([types.float64] * 3)  # type: ignore[no-untyped-call]
OUT: Final = types.Array(types.float32, 1, "C")
KEYS_OUT: Final = types.Array(types.int64, 1, "C")


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
