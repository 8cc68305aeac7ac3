"""WHERE of DuckDB, which may name columns of the select list by their aliases."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.binding.aggregates import has_aggregate
from dpsql.binding.scopes import Scope, folded
from dpsql.errors import QueryRefused

MOST_PARTS = 20_000  # that are written out for aliases


def without_aliases(select: exp.Select, scope: Scope) -> None:
    """Write what an alias stands for in its place in WHERE, where no table has a column of that name.

    What is aggregated has no alias there, and subqueries do not see any.
    """
    where = select.args.get("where")
    aliased = {str(e.alias).lower(): e.this for e in select.expressions if isinstance(e, exp.Alias) and not has_aggregate(e)}
    if where is None or not aliased:
        return
    parts = 0
    for column in [one for one in where.find_all(exp.Column) if one.find_ancestor(exp.Query) is select and not one.args.get("table")]:
        name = str(folded(column.this)).lower()
        if name in aliased and not scope.has(name):
            parts += sum(1 for _ in aliased[name].walk())
            if parts > MOST_PARTS:
                raise QueryRefused("the aliases that WHERE names stand for too much")
            column.replace(exp.Paren(this=aliased[name].copy()))
