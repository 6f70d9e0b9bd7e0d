"""Loops compiled by numba, where calling one small thing after the other would cost more than what they do.

What has been compiled once is kept on disk (beside the source, or in NUMBA_CACHE_DIR) and taken up in milliseconds.
`make setup` and the image's build import the modules that have such loops once, so that no process compiles while
somebody waits. Loading numba costs a process some 100 MB: import them only where they run.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit, types

T = TypeVar("T", bound=Callable[..., Any])


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
