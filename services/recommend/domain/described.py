"""What the catalogue says of each item, as a training reads it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORDS: Final = re.compile(r"[a-z0-9à-ɏ]+|[一-鿿]+")
_CJK: Final = re.compile(r"[一-鿿]")


@dataclass(frozen=True)
class Described:
    """What the catalogue says of each item, by item key."""

    names: Sequence[str]
    categories: Sequence[Sequence[str]]
    brands: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.names)

    def groups(self) -> NDArray[np.int32]:
        """The number of each item's category, and of its brand: 2 × items."""
        paths = [" > ".join(path) for path in self.categories]
        return np.stack([_numbered(paths), _numbered(self._brands())])

    def _brands(self) -> list[str]:
        return [brand or "" for brand in self.brands]

    def texts(self) -> Iterator[list[str]]:
        """The terms of each item. Chinese in pairs of characters."""
        for name, path, brand in zip(self.names, self.categories, self._brands(), strict=True):
            terms = [f"category:{' > '.join(path[:depth])}" for depth in range(1, len(path) + 1)]
            yield [*terms, *([f"brand:{brand}"] if brand else []), *_words(name)]


def _numbered(values: Sequence[str]) -> NDArray[np.int32]:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int32)


def _words(text: str) -> list[str]:
    found = []
    for word in _WORDS.findall(text.lower()):
        pairs = [word[at : at + 2] for at in range(len(word) - 1)] if _CJK.match(word) and len(word) > 1 else [word]
        found += pairs
    return found
