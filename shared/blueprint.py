"""The blueprint of every API: flask-smorest's, with bodies read strictly.

The standard library's JSON takes what nothing behind it can hold: NaN, lone surrogates, numbers of five thousand
digits (on which it then stumbles). orjson refuses them where they come in. A text with U+0000 is refused here as well:
Postgres has none.
"""

from typing import Any, Final

import flask
import flask_smorest
import orjson
from webargs import missing
from webargs.flaskparser import FlaskParser, is_json_request

from shared.problems import Invalid

_ESCAPED_NUL: Final = b"\\u0000"


class _Parser(FlaskParser):
    def _raw_load_json(self, req: flask.Request) -> Any:
        if not is_json_request(req):
            return missing
        raw = req.get_data(cache=True)
        body = orjson.loads(raw)
        if _ESCAPED_NUL in raw:
            refuse_nul(body)
        return body


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # noqa: TID251  # flask-smorest has no types
    """Routes of an API."""

    ARGUMENTS_PARSER = _Parser()


def refuse_nul(value: Any, path: str = "") -> None:
    """Raise Invalid, naming the place, where a text or a key in parsed JSON holds U+0000."""
    if isinstance(value, str):
        if "\0" in value:
            message = "a text cannot hold the character U+0000"
            raise Invalid(
                "the request does not fit its schema", code="schema", errors=[{"path": path, "message": message}]
            )
    elif isinstance(value, list):
        for place, item in enumerate(value):
            refuse_nul(item, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            refuse_nul(name, path)
            refuse_nul(item, f"{path}.{name}" if path else name)
