"""Decayed popularity."""

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.popularity import popularity


def test_the_most_wanted_item_has_one_and_the_others_their_share():
    interest = sp.csr_matrix(np.array([[1, 0.5, 0], [1, 0, 0]], "f4"))
    assert popularity(interest).tolist() == [1, 0.25, 0]


def test_no_one_person_makes_a_bestseller():
    interest = sp.csr_matrix(np.array([[900, 0], [0, 1], [0, 1]], "f4"))
    assert popularity(interest).tolist() == [0.5, 1]


def test_where_nobody_wanted_anything_nothing_is_popular():
    assert popularity(sp.csr_matrix((2, 3), dtype=np.float32)).tolist() == [0, 0, 0]
