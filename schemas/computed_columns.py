"""What no database, or PostgreSQL, computes: that computes from stored columns alone, by what gives the same in every session."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from sqlglot import exp

from schemas.ddl_expressions import column_of
from schemas.model import Column, Table
from schemas.postgresql_functions import called_functions
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.types import TEXTS

_JOINED = "join texts with || and coalesce(..., '')"
_DRAWN = "let the column have a default or a recipe"
_WAYS = {
    **dict.fromkeys(("concat", "concat_ws", "format", "array_to_string"), _JOINED),
    "to_char": "cast to a text, and pad it with lpad",
    "to_date": "use make_date",
    **dict.fromkeys(("random", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "clock_timestamp", "timeofday"), _DRAWN),
}
_CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Localtime)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_DAYS = ("date", "timestamp")


def refusals(table: Table, column: Column) -> Iterator[str]:
    """Yield why PostgreSQL refuses the computed `column`, and what to write instead; nothing where it may take it."""
    sql = column.computed or ""
    try:
        tree = parse_expression(sql)
    except NotAnExpression:
        return
    for name in _columns_of(tree, table):
        other = None if name == column.name else table.column(name).computed
        if other is not None:
            yield f"it is over '{name}', which is computed too; write ({other}) in its place"
    for name in called_functions(sql):
        if name.lower() in _WAYS:
            yield f"{name} gives something else from session to session; {_WAYS[name.lower()]}"
    if tree.find(*_CLOCKS):
        yield f"it asks the clock; {_DRAWN}"
    for node in tree.walk():
        way = _way_past_settings(node, table)
        if way is not None:
            yield f"{node.sql(dialect='postgres')} depends on settings of the session; {way}"


def circle_of(table: Table) -> list[str]:
    """Return columns each of which is computed over the next, and the first again; empty where there are none."""
    graph: dict[str, list[str]] = {}
    for column in table.columns:
        if column.computed is not None:
            try:
                graph[column.name] = _columns_of(parse_expression(column.computed), table)
            except NotAnExpression:
                continue
    try:
        TopologicalSorter({name: [other for other in over if other != name] for name, over in graph.items()}).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _columns_of(tree: exp.Expr, table: Table) -> list[str]:
    """The names of the table's columns in an expression, each once."""
    return list(dict.fromkeys(name for node in tree.find_all(exp.Column) if (name := column_of(node, table)) is not None))


def _way_past_settings(node: exp.Expr, table: Table) -> str | None:
    """What to write in the place of what depends on the time zone or the style of dates; None where nothing does."""
    if isinstance(node, exp.Cast):
        kinds = (_kind(node.this, table), _kind(node, table))
        if kinds[0] in _DAYS and kinds[1] == "text":
            return f"take the parts of {node.this.sql(dialect='postgres')} with extract"
        if kinds[0] in _DAYS and kinds[1] == "timestamptz":
            return f"write ({node.this.sql(dialect='postgres')} AT TIME ZONE 'UTC')"
        if kinds[0] in TEXTS and kinds[1] in (*_DAYS, "timestamptz"):
            return "use make_date or make_timestamp"
        zoned = [node.this] if kinds[1] in (*_DAYS, "text", "time") else []
    elif isinstance(node, exp.Extract) or (isinstance(node, exp.TimestampTrunc) and node.args.get("zone") is None):
        zoned = [node.expression if isinstance(node, exp.Extract) else node.this]
    elif isinstance(node, (exp.Add, exp.Sub)):
        zoned = [node.left, node.right] if _kind(node.left, table) != _kind(node.right, table) else []
    elif isinstance(node, _COMPARISONS):
        zoned = [node.left, node.right] if {_kind(node.left, table), _kind(node.right, table)} & set(_DAYS) else []
    else:
        return None
    found = next((part.unnest().sql(dialect="postgres") for part in zoned if _kind(part, table) == "timestamptz"), None)
    return None if found is None else f"write ({found} AT TIME ZONE 'UTC') for {found}"


def _kind(node: exp.Expr, table: Table) -> str | None:
    """The kind of a column or cast, in any parentheses; None for what else there is."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        name = column_of(node, table)
        return None if name is None else table.column(name).type.kind
    return str(node.to.this.value).lower() if isinstance(node, exp.Cast) else None
