"""What may be shown to one person, rule by rule: masks, applied before anything is chosen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue, Mask
from services.recommend.domain.columns import NO_PRICE
from services.recommend.domain.interactions import Kind
from services.recommend.domain.plans import Plan, PriceBand
from services.recommend.domain.proposals import VIEWS, Asked
from services.recommend.domain.wishes import Shortfall, Wish

Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What each rule, one after the other, leaves over; the last is all that may be shown."""

    on_sale: Mask
    matching: Mask
    in_band: Mask
    mask: Mask

    def shortfall(self, wish: Wish, returned: int, proposed: Callable[[], int]) -> Shortfall | None:
        """Why there are fewer items than asked for; None where there are not, and then `proposed` is not asked."""
        if returned >= wish.n:
            return None
        on_sale, matching, in_band, left = (
            int(mask.sum()) for mask in (self.on_sale, self.matching, self.in_band, self.mask)
        )
        return Shortfall(wish.n, returned, len(self.mask), on_sale, matching, in_band, left, proposed())


def allowed(asked: Asked, plan: Plan) -> Allowed:
    """The masks of a request."""
    catalogue, wish = asked.catalogue, asked.wish
    on_sale = catalogue.shown(wish.kinds)
    matching = on_sale & matching_of(catalogue, wish)
    in_band = matching if plan.price_band is None else matching & _in_band(asked, plan.price_band)
    mask = in_band.copy()
    mask[_excluded(asked, plan)] = False
    return Allowed(on_sale, matching, in_band, mask)


def matching_of(catalogue: Catalogue, wish: Wish) -> Mask:
    """Items that the filter and the expressions let through."""
    mask = catalogue.mask(wish.only)
    for expression in wish.where:
        mask = mask & catalogue.matching(expression, wish.at)
    return mask


def _excluded(asked: Asked, plan: Plan) -> Keys:
    wish, lines, exclude = asked.wish, asked.visitor.lines, plan.exclude
    parts = [np.asarray([*wish.exclude], dtype=np.int64)]
    if wish.looked_at is not None:
        parts.append(np.asarray([wish.looked_at], dtype=np.int64))
    if exclude.in_cart:
        parts.append(np.asarray([*wish.cart], dtype=np.int64))
    if exclude.bought:
        parts.append(asked.bought)
    elif exclude.bought_within_days is not None:
        lately = (lines.kinds == Kind.BOUGHT) & (lines.ages <= exclude.bought_within_days)
        parts.append(np.intersect1d(lines.keys[lately], asked.bought))
    if exclude.viewed:
        parts.append(lines.keys[np.isin(lines.kinds, VIEWS)])
    keys = np.concatenate(parts)
    return keys[keys < asked.size]


def _in_band(asked: Asked, band: PriceBand) -> Mask:
    """Items whose price is in the band; every item where nothing with a price is there to measure by."""
    columns, wish = asked.catalogue.columns, asked.wish
    if band.of == "item":
        named = [] if wish.looked_at is None else [wish.looked_at]
    else:
        named = list(wish.cart) if band.of == "cart" else asked.bought.tolist()
    keys = np.asarray(named, dtype=np.int64)
    keys = keys[keys < asked.size]
    keys = keys[columns.prices[keys] != NO_PRICE]
    if not len(keys):
        return np.ones(asked.size, dtype=bool)
    # Never over several currencies: by that of most of them.
    codes = columns.currencies.codes[keys]
    currency = np.bincount(codes).argmax()
    prices = columns.prices[keys[codes == currency]]
    middle = float(np.median(prices) if band.of == "history" else prices.mean())
    mask: Mask = (columns.currencies.codes == currency) & (columns.prices != NO_PRICE)
    mask &= (columns.prices >= band.low * middle) & (columns.prices <= band.high * middle)
    return mask


def near_of(asked: Asked, plan: Plan) -> Mask | None:
    """Items that come first: of the page's category, and matching what was searched for. None: no item does."""
    wish, catalogue = asked.wish, asked.catalogue
    if wish.near is None and not plan.words:
        return None
    near = np.ones(asked.size, dtype=bool)
    if wish.near is not None:
        near &= catalogue.in_category(wish.near)
    if plan.words:
        near &= catalogue.with_words(plan.words)
    return near
