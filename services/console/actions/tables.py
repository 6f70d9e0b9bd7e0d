"""Tables to take along: CSV that a spreadsheet opens as it was meant."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import orjson

BEGIN: Final = "\ufeff"  # the mark by which spreadsheets know UTF-8


def line(cells: Sequence[Any]) -> str:
    """One line of the table."""
    text = io.StringIO()
    csv.writer(text).writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: Any) -> str:
    text = orjson.dumps(value).decode() if isinstance(value, dict) else "" if value is None else str(value)
    # A spreadsheet takes these for a formula, and a name can be anything.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
