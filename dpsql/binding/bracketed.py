"""Queries in brackets, whose ORDER BY, LIMIT and WITH may stand behind or before the brackets: `(SELECT ...) ORDER BY 1 LIMIT 3`."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.binding.aggregates import has_aggregate
from dpsql.binding.understood import PARTS, check
from dpsql.errors import QueryInvalid, QueryRefused

OF_ROWS = ("order", "limit", "offset")
WORDS = {"order": "ORDER BY", "limit": "LIMIT", "offset": "OFFSET", "with_": "WITH"}


def without_brackets(statement: exp.Expr, dialect: str) -> exp.Expr:
    """Return the statement without brackets around it, and what stands outside of brackets moved into those of the query.

    PostgreSQL reads `(SELECT ... LIMIT 5) ORDER BY 1` as if there were no brackets; DuckDB takes the five rows first. Raises
    QueryInvalid where a clause stands both inside and outside, which PostgreSQL does not read, QueryRefused where there is more.
    """
    for node in [one for one in statement.find_all(exp.Subquery) if isinstance(one.unnest(), exp.Query)][::-1]:
        outside = [part for part in (*OF_ROWS, "with_") if node.args.get(part) is not None]
        if outside:
            _move(node, outside, dialect)
        if {part for part, value in node.args.items() if value} - PARTS[exp.Subquery] - {"joins"}:
            check(node)
    while isinstance(statement, exp.Subquery) and isinstance(statement.unnest(), exp.Query):
        check(statement)
        statement = statement.this
    return statement


def _move(node: exp.Subquery, outside: list[str], dialect: str) -> None:
    inner = node.this.unnest() if isinstance(node.this, exp.Subquery) else node.this
    within = [part for part in OF_ROWS if inner.args.get(part) is not None]
    twice = next((part for part in outside if inner.args.get(part) is not None), None)
    if twice is not None and (twice == "with_" or dialect == "postgres"):
        raise QueryInvalid(f"{WORDS[twice]} stands both inside and outside of the brackets of a query")
    if within and dialect != "postgres" and set(outside) & set(OF_ROWS):
        if "order" in outside and isinstance(inner, exp.Query):
            _hold_shown(node.args["order"], inner)
        whole = exp.Subquery(this=inner.copy(), alias=exp.TableAlias(this=exp.to_identifier("bracketed")))
        moved: exp.Expr = exp.Select(expressions=[exp.Star()]).from_(whole)
        inner.replace(moved)
        inner = moved
    for part in outside:
        clause = node.args[part]
        node.set(part, None)
        inner.set(part, clause)


def _hold_shown(order: exp.Order, inner: exp.Query) -> None:
    """Raise QueryRefused where an ORDER BY is not by columns that the query inside shows, of which alone its rows are."""
    named = {name.lower() for name in inner.named_selects}
    if "*" in named:
        return
    for column in order.find_all(exp.Column):
        if column.args.get("table") or column.name.lower() not in named:
            raise QueryRefused(f"{column.sql()} is not a name of a column of the query in brackets; show it there, and order by its name")
    if has_aggregate(order):
        raise QueryRefused("ORDER BY outside of brackets is understood of the columns inside; give the aggregate a name there")
