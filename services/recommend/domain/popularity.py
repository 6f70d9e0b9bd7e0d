"""Decayed popularity: how many people wanted an item lately."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def popularity(interest: sp.csr_matrix) -> NDArray[np.float32]:
    """Per item, the sum over people of their decayed interest, at most one each: no one person makes a bestseller.

    `interest`: people × items, decayed. Returns items float32, scaled so that the most popular item has 1.
    """
    capped = interest.copy()
    np.minimum(capped.data, 1, out=capped.data)
    total = np.asarray(capped.sum(axis=0), dtype=np.float32).ravel()
    top = total.max(initial=0)
    return total / top if top > 0 else total
