"""More of an answer, and several answers in one call."""

from typing import Any, Final

import msgspec
import orjson

from services.recommend.actions.recommendations import answered, read
from services.recommend.domain.filters import FilterError
from services.recommend.domain.pages import opened
from services.recommend.schemas.recommendations import MultiIn, NextIn
from shared.auth import Principal
from shared.problems import Invalid, Problem, TooLarge

MOST_OF_A_PAGE: Final = 10  # of a public key, so that its rate is not multiplied by fifty
_nexts: Final = msgspec.json.Decoder(NextIn)
_multis: Final = msgspec.json.Decoder(MultiIn)


def answer_next(body: bytes, caller: Principal) -> bytes:
    """The page after an answer, as JSON: the same request, and nothing of what was shown. Raises PageError."""
    asked = read(_nexts, body)
    request, shown = opened(asked.next)
    return answered(request, caller, shown, asked.n)[0]


def answer_several(body: bytes, caller: Principal) -> bytes:
    """An answer for each of several requests, as JSON, or the problem that it has; the others are answered.

    Raises TooLarge for more than a page needs of a public key.
    """
    asked = read(_multis, body)
    if not caller.trusted and len(asked.requests) > MOST_OF_A_PAGE:
        raise TooLarge(f"with this key send at most {MOST_OF_A_PAGE} requests at once")
    replies: list[bytes] = []
    shown: list[int] = []
    for request in asked.requests:
        try:
            reply, keys = answered(bytes(request), caller, shown)
        except Problem as problem:
            reply = _problem(problem)
        except FilterError as error:
            reply = _problem(Invalid(str(error), code=error.code))
        else:
            shown = keys if asked.distinct else shown
        replies.append(reply)
    return b'{"replies":[%b]}' % b",".join(replies)


def _problem(problem: Problem) -> bytes:
    told: dict[str, Any] = {
        "status": problem.status,
        "title": problem.title,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.errors:
        told["errors"] = problem.errors
    return orjson.dumps({"problem": told})
