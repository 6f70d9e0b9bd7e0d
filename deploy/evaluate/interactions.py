"""Files of who took what, in the forms that people have them: read into one log and what is held out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from services.recommend.domain.challengers.log import Keys, Log
from services.recommend.domain.contest import unknown
from services.recommend.domain.questions import Question


class DataError(ValueError):
    """The file cannot be what it should be; the message says where and why."""


@dataclass(frozen=True)
class Data:
    """What to learn from, and what to foretell. Ids are numbers from 0 in both.

    `unread`: how many rows of a table have no user, item or time that can be read, and are left out.
    """

    log: Log
    test: Question
    unread: int = 0


def lightgcn(train: Path, test: Path) -> Data:
    """Two files of `user item item …` a line. Nothing is known of the order. Raises DataError."""
    past, future = _pairs(train), _pairs(test)
    people, (past_people, future_people) = _numbered(past[0], future[0])
    items, (past_items, future_items) = _numbered(past[1], future[1])
    cells = np.unique(past_people * len(items) + past_items)
    past_people, past_items = np.divmod(cells, len(items))
    log = Log(past_people, past_items, np.zeros(len(cells), dtype=np.int64), len(people), len(items), ordered=False)
    return _asked(log, unknown(log, future_people, future_items, repeats=False))


def ratings(file: Path, user: str, item: str, time: str, value: str | None = None, least: float | None = None) -> Data:
    """A table of one row an interaction; the last of each person is held out, and what they had before is not asked.

    `least`: rows with a smaller `value` are left out. Raises DataError.
    """
    frame = _table(file, [name for name in (user, item, time, value) if name is not None])
    if value is not None and least is not None:
        frame = frame.filter(pl.col(value).cast(pl.Float64, strict=False) >= least)
    rows = len(frame)
    frame = frame.with_columns(instant=_instants(frame[time])).drop_nulls([user, item, "instant"])
    unread = rows - len(frame)
    if frame.is_empty():
        raise DataError(f"{file}: no row has a user, an item and a time")
    frame = frame.sort("instant", maintain_order=True).unique([user, item], keep="first", maintain_order=True)
    people, (numbers,) = _numbered(frame[user].to_numpy())
    items, (taken,) = _numbered(frame[item].to_numpy())
    order = np.argsort(numbers, kind="stable")
    numbers, taken = numbers[order], taken[order]
    instants = frame["instant"].to_numpy()[order]
    visits = np.arange(len(numbers)) - np.searchsorted(numbers, numbers)
    days = (instants.max() - instants) / 86_400
    data = _last_out(Log(numbers, taken, visits, len(people), len(items), days=days), repeats=False)
    return replace(data, unread=unread)


def baskets(file: Path, *, repeats: bool) -> Data:
    """{user: [[item, …], …]}: the last basket of each person is held out. Raises DataError."""
    try:
        found = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise DataError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{file}: an object of users is wanted, {{user: [[item, …], …]}}")
    lines: list[tuple[str, str, int]] = []
    for person, visits in found.items():
        lines.extend(
            (person, str(item), number) for number, visit in enumerate(_visits(person, visits)) for item in visit
        )
    if not lines:
        raise DataError(f"{file}: there is no basket with an item in it")
    columns: tuple[Sequence[Any], ...] = tuple(zip(*lines, strict=True))
    people, (numbers,) = _numbered(np.asarray(columns[0], dtype=object))
    items, (taken,) = _numbered(np.asarray(columns[1], dtype=object))
    visits_ = np.asarray(columns[2], dtype=np.int64)
    order = np.lexsort((visits_, numbers))
    log = Log(numbers[order], taken[order], visits_[order], len(people), len(items))
    return _last_out(log, repeats=repeats)


def _visits(person: str, visits: object) -> list[list[Any]]:
    if not isinstance(visits, list) or not all(isinstance(visit, list) for visit in visits):
        raise DataError(f"user {person!r}: a list of baskets is wanted, each a list of items")
    kept = [[item for item in dict.fromkeys(map(_scalar, visit)) if item is not None] for visit in visits]
    return [visit for visit in kept if visit]


def _scalar(item: object) -> str | None:
    if isinstance(item, dict | list):
        raise DataError("an item of a basket is a text or a number")
    return None if item is None else str(item)


def _pairs(file: Path) -> tuple[np.ndarray, np.ndarray]:
    people: list[str] = []
    items: list[str] = []
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for line in lines:
                person, *taken = line.split() or ("",)
                people.extend([person] * len(taken))
                items.extend(taken)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    if not items:
        raise DataError(f"{file}: no line has a user and an item (`user item item …`)")
    return np.asarray(people, dtype=object), np.asarray(items, dtype=object)


def _table(file: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Columns as texts: an id is what is written, also where the first ten thousand look like numbers."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            head = lines.readline()
        separator = max((",", "\t", ";", "|"), key=head.count)
        frame = pl.read_csv(file, separator=separator, infer_schema=False, ignore_errors=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{file} cannot be read as a table: {error}") from error
    if missing := [name for name in columns if name not in frame.columns]:
        raise DataError(f"{file} has no column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    wanted = list(dict.fromkeys(columns))
    return frame.select(wanted).filter(pl.any_horizontal(pl.col(wanted).is_not_null()))  # empty lines are no rows


def _instants(column: pl.Series) -> pl.Series:
    """Seconds: numbers as they are, texts as dates or instants."""
    found = column.str.strip_chars()
    numbers = found.cast(pl.Float64, strict=False)
    if numbers.null_count() < max(len(numbers) / 2, 1):
        return numbers
    for form in ("%+", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%Y/%m/%d"):
        instants = found.str.to_datetime(form, strict=False, time_unit="us")
        if instants.null_count() < len(instants) / 2:
            return instants.dt.epoch("s").cast(pl.Float64)
    dates = found.str.to_date("%Y-%m-%d", strict=False)
    return dates.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64)


def _numbered(*columns: np.ndarray) -> tuple[np.ndarray, list[Keys]]:
    """Distinct values of all columns, and each column as numbers of them."""
    together = np.concatenate([column.astype(str) for column in columns])
    distinct, numbers = np.unique(together, return_inverse=True)
    bounds = np.cumsum([len(column) for column in columns])[:-1]
    return distinct, [part.astype(np.int64) for part in np.split(numbers, bounds)]


def _last_out(log: Log, *, repeats: bool) -> Data:
    last = (log.since == 0) & (log.last_visits[log.people] > 0)
    past = log.only(~last)
    return _asked(past, unknown(past, log.people[last], log.items[last], repeats=repeats))


def _asked(log: Log, test: Question) -> Data:
    if len(test) == 0:
        raise DataError("nothing is held out: nobody has both a past and something new after it")
    return Data(log, test)
