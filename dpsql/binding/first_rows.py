"""LIMIT and OFFSET of public rows that private ones are joined to: the same rows each time, whatever the database reads first."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.scopes import folded
from dpsql.binding.selecting import Selecting
from dpsql.binding.sources import Kept
from dpsql.binding.understood import check, excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Expression, FirstRows, Order


def first_rows(selecting: Selecting, kept: Kept, *, of_outputs: bool) -> Kept:
    """Return the rows that LIMIT and OFFSET of a public SELECT leave. With `of_outputs` ORDER BY names its columns alone."""
    if any(field.facts.kind == "other" for field in kept.relation.fields):
        raise QueryRefused("LIMIT of public rows is understood where all of their columns have an order; name those that are needed")
    node = selecting.node
    order = node.args.get("order")
    terms = tuple(_term(selecting, kept, one, of_outputs) for one in ([] if order is None else order.expressions))
    limit, offset = _count(selecting, node.args.get("limit")), _count(selecting, node.args.get("offset"))
    one = (frozenset[str](),) if limit is not None and limit <= 1 else ()
    return replace(kept, relation=FirstRows(kept.relation, terms, limit, offset or 0), uniques=(*kept.uniques, *one))


def _count(selecting: Selecting, clause: exp.Expr | None) -> int | None:
    if clause is None:
        return None
    number = clause.args.get("count") if isinstance(clause, exp.Fetch) else clause.expression
    found = selecting.expressions.whole(number).value
    if not isinstance(found, int) or found < 0:
        raise QueryInvalid(f"LIMIT and OFFSET need a number of rows that is not below zero: {excerpt(clause)}")
    return found


def _term(selecting: Selecting, kept: Kept, one: exp.Expr, of_outputs: bool) -> Order:
    check(one)
    descending = bool(one.args.get("desc"))
    nulls_first = one.args.get("nulls_first")
    if nulls_first is None:
        nulls_first = descending and selecting.state.dialect == "postgres"
    return Order(_ordered(selecting, kept, one.this, of_outputs), descending, bool(nulls_first))


def _ordered(selecting: Selecting, kept: Kept, node: exp.Expr, of_outputs: bool) -> Expression:
    """A term as a column of the SELECT, by its place, its name or what it is, or else as an expression of the rows."""
    shown, fields = selecting.node.expressions, list(kept.columns.values())
    if isinstance(node, exp.Literal) and node.is_int:
        if not 1 <= int(node.name) <= len(fields):
            raise QueryInvalid(f"ORDER BY {node.name[:20]} is not the place of a column")
        return fields[int(node.name) - 1].column
    name = str(folded(node.this)) if isinstance(node, exp.Column) and not node.args.get("table") else None
    if name in kept.columns:
        return kept.columns[str(name)].column
    if not of_outputs:
        return selecting.expressions.bind(node)
    places = [n for n, one in enumerate(shown) if one.unalias() == node]
    if not places or len(shown) != len(fields):
        raise QueryRefused(f"ORDER BY {excerpt(node)} is understood here of columns that are shown")
    return fields[places[0]].column
