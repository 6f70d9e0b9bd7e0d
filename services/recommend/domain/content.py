"""Items that hardly anybody has taken get the factors of those that read like them: category, brand and words.

A mapping from attributes to factors by nearest neighbours (Z. Gantner et al., ICDM 2010). So whoever likes such things
is offered a new one, at no cost while serving.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float32]

_COLD: Final = 5  # people; an item that fewer took leans on those that read like it
_MOST_COLD: Final = 50_000
_MOST_WARM: Final = 20_000
_NEAREST: Final = 20
_SURE: Final = 0.2  # cosines below are chance
_ITEMS_A_TIME: Final = 500
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


def warmed(item_factors: Floats, takers: NDArray[np.int64], described: Described) -> Floats:
    """The factors, those of cold items mixed with the mean of the warm items nearest to them by TF-IDF's cosine.

    An item of n takers keeps n / 5 of its own. At most 50,000 cold ones, the newest, look among the 20,000 most taken.
    """
    cold = np.flatnonzero(takers < _COLD)[-_MOST_COLD:]
    warm = np.argsort(-takers, kind="stable")[:_MOST_WARM]
    warm = warm[takers[warm] >= _COLD]
    if not len(cold) or not len(warm):
        return item_factors
    vectorizer = TfidfVectorizer(analyzer=lambda terms: terms, sublinear_tf=True, dtype=np.float32)
    vectors = sp.csr_matrix(vectorizer.fit_transform(described.texts()))
    known = sp.csr_matrix(vectors[warm].T)
    found = item_factors.copy()
    for start in range(0, len(cold), _ITEMS_A_TIME):
        some = cold[start : start + _ITEMS_A_TIME]
        cosines = (vectors[some] @ known).toarray()
        count = min(_NEAREST, len(warm))
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        weights = np.take_along_axis(cosines, near, axis=1)
        weights *= weights > _SURE
        mean = np.einsum("ij,ijk->ik", weights, item_factors[warm[near]]) / np.maximum(weights.sum(axis=1), 1)[:, None]
        own = (takers[some] / _COLD).astype(np.float32)[:, None]
        found[some] = own * item_factors[some] + (1 - own) * mean
    return found
