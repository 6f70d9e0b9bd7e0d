"""Errors a caller can act on. Raised where they are found, turned into problem+json (RFC 9457) by shared.web."""

from collections.abc import Sequence
from typing import TypedDict


class FieldError(TypedDict):
    """One thing wrong with the input: where (a path such as `rule.all[0].op`) and what."""

    path: str
    message: str


class Problem(Exception):  # the RFC's word
    """Base of all problems: an HTTP status, a stable machine `code`, a sentence for people, field paths."""

    status = 500
    title = "Internal error"
    default_code = "internal_error"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.default_code
        self.errors = list(errors)
        self.retry_after = retry_after


class BadRequest(Problem):
    """400: the request cannot be read."""

    status, title, default_code = 400, "Bad request", "bad_request"


class Unauthorized(Problem):
    """401: no credential, or one that is unknown, expired or revoked."""

    status, title, default_code = 401, "Unauthorized", "unauthorized"


class Forbidden(Problem):
    """403: the credential is good but may not do this."""

    status, title, default_code = 403, "Forbidden", "forbidden"


class NotFound(Problem):
    """404."""

    status, title, default_code = 404, "Not found", "not_found"


class Conflict(Problem):
    """409: the state of the thing does not allow this now."""

    status, title, default_code = 409, "Conflict", "conflict"


class PreconditionFailed(Problem):
    """412: somebody else changed it since it was read (If-Match)."""

    status, title, default_code = 412, "Precondition failed", "precondition_failed"


class TooLarge(Problem):
    """413."""

    status, title, default_code = 413, "Content too large", "too_large"


class Invalid(Problem):
    """422: readable, but what it says cannot be."""

    status, title, default_code = 422, "Unprocessable content", "invalid"


class TooMany(Problem):
    """429: slow down; `retry_after` in seconds."""

    status, title, default_code = 429, "Too many requests", "rate_limited"


class Unavailable(Problem):
    """503: something this depends on does not answer now."""

    status, title, default_code = 503, "Service unavailable", "unavailable"


BY_STATUS: dict[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        PreconditionFailed,
        TooLarge,
        Invalid,
        TooMany,
        Unavailable,
    )
}
