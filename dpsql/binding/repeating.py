"""Forms that databases write out as something that repeats a part: in each other they take a power of time and memory."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid

# DuckDB's planner takes about three times as long, and as much memory, for each more of them
REPEATING = exp.Between | exp.In | exp.Nullif | exp.SplitPart | exp.WidthBucket
MOST = 6  # inside one another, also through the columns of subqueries
SOURCES = ("from_", "from", "joins", "laterals")
_Carried = Mapping[str, int]  # of the columns of common tables, by name


def hold_repeating(statement: exp.Expr) -> None:
    """Raise QueryInvalid where too many of them stand inside one another."""
    _carried(statement, {})


def _carried(query: exp.Expr, outside: _Carried) -> int:
    """How many stand inside one another in what a column of a query, or of a table with what is joined to it, may be."""
    tables = dict(outside)
    for common in query.ctes if isinstance(query, exp.Query) else ():
        tables[common.alias.lower()] = _carried(common.this, tables)
    if isinstance(query, exp.SetOperation):
        return _carried_by_sides(query, tables)
    below = 0
    if isinstance(query, exp.Subquery):
        below = _carried(query.this, tables)
    elif isinstance(query, exp.Table):
        below = tables.get(query.name.lower(), 0)
    conditions: list[exp.Expr] = []
    for part in (part for name in SOURCES for part in _listed(query.args.get(name))):
        below = max(below, _nested(part.this, 0, tables))
        conditions += [one for name, value in part.args.items() if name != "this" for one in _listed(value)]
    shown = _listed(query.args.get("expressions"))
    carried = max((_nested(one, below, tables) for one in shown), default=below)
    others = (part for name, part in query.args.items() if name not in (*SOURCES, "this", "with_", "with", "expressions"))
    for one in [*conditions, *(one for part in others for one in _listed(part))]:
        _nested(one, carried, tables)
    return carried


def _carried_by_sides(query: exp.SetOperation, tables: _Carried) -> int:
    found = 0
    sides = [query.left, query.right]
    while sides:  # a long chain of UNION is deep on one side
        side = sides.pop()
        if isinstance(side, exp.SetOperation) and not side.ctes:
            sides += [side.left, side.right]
        else:
            found = max(found, _carried(side, tables))
    return found


def _repeats(node: exp.Expr) -> bool:
    of_a_value = isinstance(node, exp.Case) and node.this is not None
    return isinstance(node, REPEATING) or of_a_value or isinstance(node.args.get("expression"), exp.Any | exp.All)


def _listed(value: object) -> list[exp.Expr]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, exp.Expr)]


def _nested(node: exp.Expr, below: int, tables: _Carried) -> int:
    """How many stand inside one another in `node`, of whose columns each has `below` of them already."""
    deepest, waiting = below, [(node, below)]
    while waiting:
        one, count = waiting.pop()
        if isinstance(one, exp.Query | exp.Table):
            count += _carried(one, tables)
        else:
            count += _repeats(one)
            waiting += [(child, count) for child in one.iter_expressions()]
        if count > MOST:
            raise QueryInvalid(f"IN, BETWEEN, ANY, NULLIF, SPLIT_PART and CASE of a value stand in each other more than {MOST} times")
        deepest = max(deepest, count)
    return deepest
