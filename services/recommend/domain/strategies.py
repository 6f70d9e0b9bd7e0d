"""The strategies by which places are filled."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Strategy(StrEnum):
    """How items were found."""

    FOR_YOU = "for_you"  # from the person's own history (and the moment)
    SESSION = "session"  # only from what the request says of the moment: an item looked at, a cart
    POPULAR = "popular"  # what people want; also where nothing is known of the person
    SIMILAR = "similar"  # to one item
    NEW_ARRIVALS = "new_arrivals"  # what came to the shop last; also where there is no model yet
    BOUGHT_TOGETHER = "bought_together"  # with the item looked at, or with one in the cart
    BUY_AGAIN = "buy_again"  # what the person buys in a rhythm, by when it is due
    TRENDING = "trending"  # wanted more now than usual
    RECENTLY_VIEWED = "recently_viewed"  # by the person, the last first
    CART_COMPLEMENTS = "cart_complements"  # what is bought with all that is in the cart


# Those a request or a slot can ask for. SESSION is how FOR_YOU answers a stranger.
ASKED: Final = frozenset(Strategy) - {Strategy.SESSION}

# What fills up the places when only a strategy was asked for. Lists of one's own deeds are not filled up with others.
FALLBACKS: Final = MappingProxyType(
    {
        Strategy.FOR_YOU: (Strategy.POPULAR, Strategy.NEW_ARRIVALS),
        Strategy.SIMILAR: (Strategy.POPULAR, Strategy.NEW_ARRIVALS),
        Strategy.BOUGHT_TOGETHER: (Strategy.SIMILAR, Strategy.POPULAR, Strategy.NEW_ARRIVALS),
        Strategy.CART_COMPLEMENTS: (Strategy.FOR_YOU, Strategy.POPULAR, Strategy.NEW_ARRIVALS),
        Strategy.TRENDING: (Strategy.POPULAR, Strategy.NEW_ARRIVALS),
        Strategy.POPULAR: (Strategy.NEW_ARRIVALS,),
        Strategy.NEW_ARRIVALS: (),
        Strategy.BUY_AGAIN: (),
        Strategy.RECENTLY_VIEWED: (),
    }
)


def usual_chain(strategy: Strategy) -> tuple[Strategy, ...]:
    """A strategy and what fills up after it."""
    return (strategy, *FALLBACKS[strategy])
