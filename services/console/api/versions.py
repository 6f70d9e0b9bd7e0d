"""If-Match on things whose version is a number."""

import re

from flask import request

from shared.problems import PreconditionFailed


def expected_version() -> int | None:
    """The version the caller has read; None where any will do. Raises PreconditionFailed."""
    wanted = request.headers.get("If-Match", "").strip()
    if wanted in ("", "*"):
        return None
    numbered = re.fullmatch(r'"(\d{1,18})"', wanted)
    if numbered is None:
        raise PreconditionFailed("this If-Match is none of our versions; read the thing again")
    return int(numbered[1])
