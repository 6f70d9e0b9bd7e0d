"""Arrays as Postgres sends them in binary: columns of many rows without a Python object for each value."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# array_send(): dimensions, flags, element type, length and lower bound, then a length and a value for each element.
_HEADER: Final = 20
_ELEMENTS: Final = {
    kind: np.dtype([("length", ">i4"), ("value", kind)]) for kind in (">i2", ">i4", ">i8", ">f4", ">f8")
}


def values(sent: bytes, kind: str) -> NDArray[Any]:
    """The elements of an array without nulls, as array_send() gave it; `kind` is numpy's big-endian name."""
    return np.frombuffer(sent, dtype=_ELEMENTS[kind], offset=_HEADER)["value"]


def joined(sent: Sequence[bytes], kind: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The elements of many such arrays one after the other, and how many each had."""
    element = _ELEMENTS[kind]
    counts = (np.fromiter(map(len, sent), dtype=np.int64, count=len(sent)) - _HEADER) // element.itemsize
    return counts, np.frombuffer(b"".join(one[_HEADER:] for one in sent), dtype=element)["value"]
