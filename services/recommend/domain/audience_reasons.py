"""Why somebody stands high in an audience: what lifts them above the average customer, in words for marketers."""

from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.audiences import FEATURES, Floats
from services.recommend.domain.propensity import Logistic

MOST: Final = 2  # reasons of one person
NONE: Final = -1
_LEAST: Final = 0.1  # log-odds; what moves less is no reason

# By the order of FEATURES: a code, and its words in English and Chinese.
REASONS: Final = MappingProxyType(
    {
        "likes_what_is_like_it": ("Likes what is like it", "喜欢与之相似的商品"),
        "has_bought_it": ("Has bought it before", "以前买过"),
        "buys_the_category": ("Buys in this category", "购买这一类目"),
        "buys_often": ("Buys often", "经常购买"),
        "was_here_lately": ("Was here lately", "最近来过"),
        "buys_widely": ("Buys many different things", "购买的商品种类多"),
    }
)
CODES: Final = tuple(REASONS)
_NEAR, _WANTED, _FAMILY = (FEATURES.index(name) for name in ("near", "wanted", "family"))


def reasons_of(features: Floats, learned: Logistic | None, *, of_family: bool = False) -> NDArray[np.int8]:
    """What speaks most for each person, the strongest first, as places in CODES: people × MOST, NONE where there is
    less.

    A feature speaks for somebody where having more of it goes with buying, and they have more of it than the average
    customer; how much is told by the log-odds it adds. Nothing `learned`: by what the ranking then goes by, nearness
    and purchases in the category. `of_family`: the item itself was not learned, but its category.
    """
    if learned is None:
        speaks = np.zeros(features.shape, dtype=np.float64)
        speaks[:, [_NEAR, _FAMILY]] = features[:, [_NEAR, _FAMILY]]
        least = 0.0
    else:
        speaks = np.maximum(features - learned.mean, 0) / learned.scale * np.maximum(learned.weights[1:], 0)
        least = _LEAST
    # Who bought the item has bought in its category: that is one reason, not two.
    bought = (features[:, _WANTED] > 0) & (not of_family)
    both = speaks[:, _WANTED] + speaks[:, _FAMILY]
    speaks[:, _WANTED], speaks[:, _FAMILY] = np.where(bought, both, 0), np.where(bought, 0, both)
    best = np.argsort(-speaks, axis=1, kind="stable")[:, :MOST]
    enough = np.take_along_axis(speaks, best, axis=1) > least
    return np.where(enough, best, NONE).astype(np.int8)
