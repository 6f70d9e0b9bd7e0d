"""The types of arrays that the compiled loops of an answer take (numpy has no single word for these loops)."""

from typing import Final

from numba import types

from shared.compiled import compiled

# Arrays are only read unless a signature says otherwise: a model's are mapped from files that nobody may write.
FLOATS: Final = types.Array(types.float32, 1, "A", readonly=True)
MATRIX: Final = types.Array(types.float32, 2, "C", readonly=True)
NUMBERS: Final = types.Array(types.int32, 2, "C", readonly=True)
KEYS: Final = types.Array(types.int64, 1, "A", readonly=True)
KINDS: Final = types.Array(types.int16, 1, "A", readonly=True)
ROW: Final = types.Array(types.float32, 1, "C", readonly=True)
THREE_FLOATS: Final = types.Tuple([types.float64] * 3)  # type: ignore[no-untyped-call]
OUT: Final = types.Array(types.float32, 1, "C")
KEYS_OUT: Final = types.Array(types.int64, 1, "C")

__all__ = [
    "FLOATS", "KEYS", "KEYS_OUT", "KINDS", "MATRIX", "OUT", "ROW", "THREE_FLOATS", "compiled",
]  # fmt: skip
