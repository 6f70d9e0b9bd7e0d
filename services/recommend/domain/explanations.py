"""Reasons in words, for those who see the items: short, in English and Chinese."""

from datetime import date
from types import MappingProxyType
from typing import Final

from services.recommend.domain.columns import CONTENT
from services.recommend.domain.wishes import Reason

LONGEST_NAME: Final = 60
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_PLAIN: Final = MappingProxyType(
    {
        Reason.BUY_AGAIN: ("You bought this before", "你曾经买过"),
        Reason.FOR_YOU: ("Picked for you", "为你推荐"),
        Reason.FITS_CART: ("Goes with what is in your cart", "与购物车里的商品相配"),
        Reason.SIMILAR: ("Similar to what you are looking at", "与你正在看的相似"),
        Reason.POPULAR: ("Popular now", "近期热门"),
        Reason.NEW: ("New in the shop", "新品上架"),
        Reason.BOUGHT_TOGETHER: ("Often bought together", "常被一起购买"),
        Reason.TRENDING: ("Trending now", "正在流行"),
        Reason.RECENTLY_VIEWED: ("You looked at this recently", "你最近看过"),
        Reason.PINNED: ("Recommended by the shop", "店家推荐"),
    }
)
# What is read or watched is not bought.
_OF_CONTENT: Final = MappingProxyType(
    {
        Reason.BUY_AGAIN: ("You enjoyed this before", "你曾经喜欢过"),
        Reason.FITS_CART: ("About what is in your cart", "与购物车里的商品有关"),
        Reason.POPULAR: ("Many people look at this now", "大家都在看"),
        Reason.NEW: ("Just published", "最新发布"),
        Reason.BOUGHT_TOGETHER: ("Goes together", "相关内容"),
    }
)
_ABOUT_AN_ITEM: Final = MappingProxyType(
    {
        Reason.FITS_CART: ("Goes with {name} in your cart", "与购物车里的{name}相配"),
        Reason.SIMILAR: ("Similar to {name}", "与{name}相似"),
        Reason.BOUGHT_TOGETHER: ("Bought together with {name}", "常与{name}一起购买"),
    }
)


def in_words(reason: Reason, kind: str) -> tuple[str, str]:
    """A reason that is about nothing else: English, Chinese."""
    return (_OF_CONTENT.get(reason) if kind == CONTENT else None) or _PLAIN[reason]


def about_item(reason: Reason, kind: str, name: str) -> tuple[str, str]:
    """A reason that is about another item of this name."""
    if reason not in _ABOUT_AN_ITEM:
        return in_words(reason, kind)
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    english, chinese = _ABOUT_AN_ITEM[reason]
    return english.format(name=short), chinese.format(name=short)


def about_date(due: date, today: date) -> tuple[str, str]:
    """That something is needed again on a day, in the shop's calendar; or by now."""
    if due <= today:
        return "You may need it again by now", "你可能又该买了"
    english = f"You may need it again around {due.day} {_MONTHS[due.month - 1]}"
    return english, f"你可能在{due.month}月{due.day}日前后又需要它"
