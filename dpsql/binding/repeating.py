"""Forms that databases write out as something that repeats a part: in each other they take a power of time and memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid

# by how much DuckDB's planner takes longer, and needs more memory, for a part than for the same without the form around it
TIMES: dict[type[exp.Expr], int] = {exp.Between: 3, exp.In: 3, exp.Nullif: 3, exp.SplitPart: 4, exp.WidthBucket: 4}
SYMMETRIC, COMPARED = 8, 3  # BETWEEN SYMMETRIC; a comparison with ANY or ALL
LARGEST = 3_000  # parts of an expression once all is written out
NESTED = 27  # what repeats a part no more often than this is as large as its text
SOURCES = ("from_", "from", "joins", "laterals")
ANY = "*"  # stands for the columns whose names are not known

Cost = tuple[int, int]  # how often the innermost part is repeated, and how many parts there are once all is written out
Costs = Mapping[str, Cost]  # of columns, by their names
ONE: Cost = (1, 1)


def hold_repeating(statement: exp.Expr) -> None:
    """Raise QueryInvalid where a database would write a query out to far more than it says."""
    _columns(statement, {}, {})


def _columns(query: exp.Expr, tables: Mapping[str, Costs], around: Costs) -> Costs:
    """What the columns of a query, or of a table with what is joined to it, cost; `around` are those that it may refer to."""
    if isinstance(query, exp.Query) and query.ctes:
        inner = dict(tables)
        for common in query.ctes:
            inner[common.alias.lower()] = _renamed(_columns(common.this, inner, around), common)
        tables = inner
    if isinstance(query, exp.SetOperation):
        return _of_sides(query, tables, around)
    named: dict[str, Cost] = {}
    if isinstance(query, exp.Table):
        named.update(_renamed(tables.get(query.name.lower(), {}), query))
    elif isinstance(query, exp.Subquery):
        named.update(_renamed(_columns(query.this, tables, around), query))
    joined = [part for name in SOURCES for part in _listed(query.args.get(name))]
    for part in joined:
        _add(named, _source(part.this, tables, _both(around, named)))
    own = dict(named)
    for one in _listed(query.args.get("expressions")):
        cost = _cost(one, tables, _both(around, named))
        if one.is_star:
            continue
        _add(named, {one.alias_or_name.lower() or ANY: cost})  # DuckDB lets later ones refer to it
    if isinstance(query, exp.Select):
        shown = {one.alias_or_name.lower() or ANY for one in query.expressions}
        passed = own if any(one.is_star for one in query.expressions) else {}
        result: Costs = {**passed, **{name: named[name] for name in shown if name in named}}
    else:
        result = named
    others = [part for name, part in query.args.items() if name not in (*SOURCES, "this", "with_", "with", "expressions")]
    others += [value for part in joined for name, value in part.args.items() if name != "this"]
    for one in (one for part in others for one in _listed(part)):
        _cost(one, tables, _both(around, named))
    return result


def _of_sides(query: exp.SetOperation, tables: Mapping[str, Costs], around: Costs) -> Costs:
    """Columns are matched by their places, so that each may cost what any costs."""
    found: list[Costs] = []
    sides = [query.left, query.right]
    while sides:  # a long chain of UNION is deep on one side
        side = sides.pop()
        if isinstance(side, exp.SetOperation) and not side.ctes:
            sides += [side.left, side.right]
        else:
            found.append(_columns(side, tables, around))
    return {ANY: _most(cost for side in found for cost in side.values())}


def _source(node: exp.Expr, tables: Mapping[str, Costs], around: Costs) -> Costs:
    if isinstance(node, exp.Query | exp.Table):
        return _columns(node, tables, around)
    return {ANY: _cost(node, tables, around)}


def _renamed(columns: Costs, source: exp.Expr) -> Costs:
    """The columns of a source that may give them other names."""
    alias = source.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
        return {ANY: _most(columns.values())}
    return columns


def _add(named: dict[str, Cost], more: Costs) -> None:
    for name, cost in more.items():
        named[name] = _most([cost, named.get(name, ONE)])


def _both(around: Costs, named: Costs) -> Costs:
    both = dict(around)
    _add(both, named)
    return both


def _most(costs: Iterable[Cost]) -> Cost:
    listed = [ONE, *costs]
    return max(often for often, _ in listed), max(size for _, size in listed)


def _listed(value: object) -> list[exp.Expr]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, exp.Expr)]


def _cost(node: exp.Expr, tables: Mapping[str, Costs], named: Costs) -> Cost:
    """What an expression costs; raises QueryInvalid where that is too much."""
    order, waiting = [], [node]
    while waiting:  # a long chain of AND is deep on one side
        one = waiting.pop()
        order.append(one)
        if not isinstance(one, exp.Query | exp.Table | exp.Column):
            waiting += one.iter_expressions()
    costs: dict[int, Cost] = {}
    for one in reversed(order):
        if isinstance(one, exp.Query | exp.Table):
            cost = _most(_columns(one, tables, named).values())
        elif isinstance(one, exp.Column):
            cost = named.get(one.name.lower(), named.get(ANY, ONE))
        else:
            times = _times(one)
            often, size = 1, 1
            for child in one.iter_expressions():
                by = times if child is one.this or (times == SYMMETRIC) else 1
                often, size = max(often, by * costs[id(child)][0]), size + by * costs[id(child)][1]
            cost = often, size
        if cost[1] > LARGEST and cost[0] > NESTED:
            raise QueryInvalid("IN, BETWEEN, ANY, NULLIF, SPLIT_PART and CASE of a value stand in each other too often")
        costs[id(one)] = cost
    return costs[id(node)]


def _times(node: exp.Expr) -> int:
    if isinstance(node, exp.Case) and node.this is not None:
        return 1 + len(node.args.get("ifs") or ())
    if isinstance(node, exp.Between) and node.args.get("symmetric"):
        return SYMMETRIC
    if isinstance(node.args.get("expression"), exp.Any | exp.All):
        return COMPARED
    return TIMES.get(type(node), 1)
