"""Queries in brackets, whose ORDER BY, LIMIT and WITH may stand behind or before the brackets: `(SELECT ...) ORDER BY 1 LIMIT 3`."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.binding.understood import PARTS, check
from dpsql.errors import QueryInvalid

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
        whole = exp.Subquery(this=inner.copy(), alias=exp.TableAlias(this=exp.to_identifier("bracketed")))
        moved: exp.Expr = exp.Select(expressions=[exp.Star()]).from_(whole)
        inner.replace(moved)
        inner = moved
    for part in outside:
        clause = node.args[part]
        node.set(part, None)
        inner.set(part, clause)
