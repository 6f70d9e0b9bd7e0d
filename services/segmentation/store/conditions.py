"""Conditions of rules as SQL: of typed columns, and of JSON values whose type only the data know.

The operators come from the vocabulary, which is ours; what they compare with is bound.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from psycopg import sql

from services.segmentation.domain import vocabulary as words
from services.segmentation.domain.conditions import Condition

Bind: TypeAlias = Callable[[Any], sql.Composable]

_SIGNS: Final = {
    "=": sql.SQL("="),
    "!=": sql.SQL("<>"),
    "<": sql.SQL("<"),
    "<=": sql.SQL("<="),
    ">": sql.SQL(">"),
    ">=": sql.SQL(">="),
}


def sign(op: str) -> sql.SQL:
    """The SQL of a comparison."""
    return _SIGNS[op]


def compare(column: sql.Composable, kind: str, condition: Condition, bind: Bind) -> sql.Composable:
    """The test of a typed column; NULL where it has no value, but for `missing`."""
    op, value = condition.op, condition.value
    if op in words.PRESENCE:
        return _presence(column, kind, op)
    if kind == words.LIST:
        wanted = list(value) if isinstance(value, tuple) else [value]
        return sql.SQL("{} && {}::text[]").format(column, bind(wanted))
    if kind == words.TEXT:
        return _text(column, op, value, bind)
    cast = {words.TIME: sql.SQL("timestamptz"), words.FLAG: sql.SQL("boolean")}.get(kind, sql.SQL("float8"))
    if op == "between" and isinstance(value, tuple):
        return sql.SQL("{} BETWEEN {}::{} AND {}::{}").format(column, bind(value[0]), cast, bind(value[1]), cast)
    return sql.SQL("{} {} {}::{}").format(column, sign(op), bind(value), cast)


def json_test(value: sql.Composable, condition: Condition, bind: Bind) -> sql.Composable:
    """The test of a jsonb expression; false or NULL where its type is not that of what it is compared with."""
    op, wanted = condition.op, condition.value
    if op in words.PRESENCE:
        known = sql.SQL("coalesce(jsonb_typeof({}) <> 'null', false)").format(value)
        return known if op == "exists" else sql.SQL("NOT {}").format(known)
    if op in ("before", "after"):
        return _json_date(value, op, wanted, bind)
    sample = wanted[0] if isinstance(wanted, tuple) else wanted
    if isinstance(sample, bool):
        # CASE: a cast must not be tried on what is no boolean.
        test = sql.SQL("CASE WHEN jsonb_typeof({0}) = 'boolean' THEN ({0})::boolean END {1} {2}")
        return test.format(value, sign(op), bind(wanted))
    if isinstance(sample, str):
        return _json_text(value, condition, bind)
    return _json_number(value, op, wanted, bind)


def _presence(column: sql.Composable, kind: str, op: str) -> sql.Composable:
    known = sql.SQL("cardinality({}) > 0" if kind == words.LIST else "{} IS NOT NULL").format(column)
    return known if op == "exists" else sql.SQL("NOT coalesce({}, false)").format(known)


def _text(text: sql.Composable, op: str, value: Any, bind: Bind) -> sql.Composable:
    if op == "in":
        return sql.SQL("{} = ANY({}::text[])").format(text, bind(list(value)))
    if op == "not_in":
        return sql.SQL("{} <> ALL({}::text[])").format(text, bind(list(value)))
    if op == "contains":
        return sql.SQL("strpos({}, {}::text) > 0").format(text, bind(value))
    if op == "starts_with":
        return sql.SQL("starts_with({}, {}::text)").format(text, bind(value))
    return sql.SQL("{} {} {}::text").format(text, sign(op), bind(value))


def _json_text(value: sql.Composable, condition: Condition, bind: Bind) -> sql.Composable:
    text = _text(sql.SQL("({} #>> '{{}}')").format(value), condition.op, condition.value, bind)
    test = sql.SQL("jsonb_typeof({}) = 'string' AND {}").format(value, text)
    if condition.op == "contains":  # of a list: one of its members
        member = sql.SQL("jsonb_typeof({0}) = 'array' AND {0} ? {1}::text").format(value, bind(condition.value))
        return sql.SQL("({} OR {})").format(test, member)
    return test


def _json_number(value: sql.Composable, op: str, wanted: Any, bind: Bind) -> sql.Composable:
    number = sql.SQL("CASE WHEN jsonb_typeof({0}) = 'number' THEN ({0})::numeric END").format(value)
    bound = [bind(Decimal(str(one))) for one in (wanted if isinstance(wanted, tuple) else (wanted,))]
    if op in ("in", "not_in"):
        among = sql.SQL("{} IN ({})" if op == "in" else "{} NOT IN ({})")
        return among.format(number, sql.SQL(", ").join(sql.SQL("{}::numeric").format(one) for one in bound))
    if op == "between":
        return sql.SQL("{} BETWEEN {}::numeric AND {}::numeric").format(number, *bound)
    return sql.SQL("{} {} {}::numeric").format(number, sign(op), bound[0])


def _json_date(value: sql.Composable, op: str, wanted: Any, bind: Bind) -> sql.Composable:
    """Texts that begin like an ISO date, compared by that date."""
    return sql.SQL(
        """
        jsonb_typeof({0}) = 'string' AND ({0} #>> '{{}}') ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}'
        AND left({0} #>> '{{}}', 10) COLLATE "C" {1} {2}::text
        """
    ).format(value, sql.SQL("<" if op == "before" else ">"), bind(wanted))
