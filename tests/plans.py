"""What the planner means to do with statements that run: for tests that no step compares all rows with all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Cursor
from psycopg.rows import dict_row, tuple_row

_PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
_WHOLE = ("Seq Scan", "CTE Scan", "WorkTable Scan")


@dataclass(frozen=True)
class Plan:
    """A statement and the root of its plan, as EXPLAIN (FORMAT JSON) tells it."""

    statement: str
    root: dict[str, Any]


def watch(connection: psycopg.Connection[Any], plans: list[Plan]) -> None:
    """From now on put the plan of each statement of this connection into `plans`, made just before it runs."""

    class Watching(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            text = query if isinstance(query, str) else query.as_string(connection)
            if text.lstrip().startswith(_PLANNED):
                with Cursor(connection, row_factory=tuple_row) as asking:
                    row = asking.execute(f"EXPLAIN (FORMAT JSON) {text}", params).fetchone()
                plans.append(Plan(" ".join(text.split()), row[0][0]["Plan"]))
            return super().execute(query, params, **options)

    connection.cursor_factory = Watching
    connection.row_factory = dict_row


def rescans(plan: Plan) -> list[str]:
    """Where a whole table or result would be read once more for every row of another."""
    return [found for node in nodes(plan.root) if node["Node Type"] == "Nested Loop" for found in _inner(node)]


def reads(plan: Plan) -> list[str]:
    """What it reads as a whole, once or more often."""
    return [
        f"{node['Node Type']} of {node.get('Relation Name')}"
        for node in nodes(plan.root)
        if "Scan" in node["Node Type"]
    ]


def _inner(loop: dict[str, Any]) -> Iterator[str]:
    outer, inner = (child for child in loop["Plans"] if child.get("Parent Relationship") in ("Outer", "Inner"))
    if _is_one_row(outer):
        return
    for node in nodes(inner):
        if node["Node Type"] in _WHOLE:
            yield f"{node['Node Type']} of {node.get('Relation Name') or node.get('CTE Name')}"


def _is_one_row(node: dict[str, Any]) -> bool:
    """Whether this cannot give more than one row: a result of constants, an aggregate of all."""
    return node["Node Type"] == "Result" or (node["Node Type"] == "Aggregate" and "Group Key" not in node)


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan and all below it."""
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)
