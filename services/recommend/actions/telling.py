"""Answers as JSON: what does not change of an item, and of a reason, is ready as bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.columns import CONTENT, PRODUCT
from services.recommend.domain.explanations import about_date, about_item, in_words
from services.recommend.domain.wishes import Answer, Reason, Shortfall, Why

Clock = tuple[datetime, str]  # now, and the time zone of the shop's calendar
_ITEM: Final = b'%b,"score":%.6g,%b}'


def _ready(reason: Reason, words: tuple[str, str], due_at: str | None = None) -> bytes:
    """The members of an item's object that tell why it is there."""
    told: dict[str, Any] = {"reason": reason, "reason_text": {"en": words[0], "zh": words[1]}}
    if due_at is not None:
        told["due_on"] = due_at
    return orjson.dumps(told)[1:-1]


_REASONS: Final = {reason: _ready(reason, in_words(reason, PRODUCT)) for reason in Reason}
_OF_CONTENT: Final = {reason: _ready(reason, in_words(reason, CONTENT)) for reason in Reason}


def items(found: Answer, catalogue: Catalogue, clock: Clock) -> bytes:
    """The items of an answer as members of a JSON list, formatted all at once."""
    keys = found.keys.tolist()
    rendered = map(catalogue.rendered, keys)
    reasons: Iterable[bytes]
    if found.whys is None:
        reasons = _plainly(catalogue, keys, found.reasons)
    else:
        today = clock[0].astimezone(ZoneInfo(clock[1]))
        reasons = [_arranged(catalogue, key, why, today) for key, why in zip(keys, found.whys, strict=True)]
    if found.promoted or found.explored:
        reasons = [reason + _beside(found, key) for key, reason in zip(keys, reasons, strict=True)]
    parts = chain.from_iterable(zip(rendered, found.scores.tolist(), reasons, strict=True))
    return b",".join((_ITEM,) * len(keys)) % tuple(parts)


def _beside(found: Answer, key: int) -> bytes:
    """Members of an item that has its place otherwise than by score."""
    if key in found.explored:
        return b',"explored":true,"propensity":%.9g' % found.explored[key]
    return b',"promoted":%b' % orjson.dumps(found.promoted[key]) if key in found.promoted else b""


def shortfall(found: Shortfall) -> dict[str, Any]:
    """A shortfall with its reason first."""
    return {"reason": found.reason, **asdict(found)}


def experiment(found: tuple[str, str]) -> dict[str, str]:
    """An experiment and the variant somebody has in it."""
    return dict(zip(("id", "variant"), found, strict=True))


def strategies(found: Answer) -> Sequence[str]:
    """The strategies that filled places, in their order."""
    return found.strategies or ([found.strategy] if len(found.keys) else [])


def _plainly(catalogue: Catalogue, keys: Sequence[int], reasons: Sequence[Reason]) -> Iterable[bytes]:
    if not catalogue.has_content:
        return map(_REASONS.__getitem__, reasons)
    return [_plain(catalogue, key, reason) for key, reason in zip(keys, reasons, strict=True)]


def _plain(catalogue: Catalogue, key: int, reason: Reason) -> bytes:
    return _OF_CONTENT[reason] if catalogue.items[key].kind == CONTENT else _REASONS[reason]


def _arranged(catalogue: Catalogue, key: int, why: Why, today: datetime) -> bytes:
    if why.days is not None:
        due = (today + timedelta(days=why.days)).date()
        return _ready(why.reason, about_date(due, today.date()), due.isoformat())
    if why.item is not None:
        words = about_item(why.reason, catalogue.items[key].kind, catalogue.items[why.item].name)
        return _ready(why.reason, words)
    return _plain(catalogue, key, why.reason)
