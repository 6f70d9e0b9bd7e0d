"""Items that hardly anybody has taken get the factors of those that read like them: category, brand and words.

A mapping from attributes to factors by nearest neighbours (Z. Gantner et al., ICDM 2010). So whoever likes such things
is offered a new one, at no cost while serving.
"""

from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from services.recommend.domain.described import Described

Floats = NDArray[np.float32]

_COLD: Final = 5  # people; an item that fewer took leans on those that read like it
_MOST_COLD: Final = 50_000
_MOST_WARM: Final = 20_000
_NEAREST: Final = 20
_SURE: Final = 0.2  # cosines below are chance
_ITEMS_A_TIME: Final = 500


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
