"""Subqueries of public tables that stand for one value among the values of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.aggregates import has_aggregate, is_aggregate
from dpsql.binding.group_keys import key_node
from dpsql.binding.joins import Step
from dpsql.binding.public_rows import is_public
from dpsql.binding.scopes import Scope
from dpsql.binding.state import Environment, State
from dpsql.binding.unnesting import outer_columns
from dpsql.errors import QueryInvalid
from dpsql.tree import Column

ALONE = (exp.In, exp.Exists, exp.Any, exp.All, exp.From, exp.Join)


def scalars(node: exp.Select, scope: Scope, known: Environment, state: State) -> list[Step]:
    """Return a join for each public subquery that stands for one value in WHERE, in a key of GROUP BY, inside of an aggregate, or among
    the columns of rows.

    What it finds is written down by its place, for the expressions that are bound next. It has one row at most, else it is left to be
    refused; so that the join multiplies nobody's rows, and since it names public tables alone, no unit changes its value.
    """
    made: list[Step] = []
    found: list[tuple[exp.Expr, Column]] = []
    for place in _places(node, scope):
        inner = place.unnest()
        if not isinstance(inner, exp.Query) or not is_public(inner, known, state.declaration):
            continue
        if isinstance(inner, exp.Select) and outer_columns(inner):
            continue
        try:
            kept = state.as_rows(lambda inner=inner: state.query(inner, known, state))  # type: ignore[misc]
        except QueryInvalid:
            if any(not c.args.get("table") and scope.has(c.name.lower()) for c in inner.find_all(exp.Column)):
                continue  # it looks at the row outside
            raise
        if len(kept.columns) != 1:
            raise QueryInvalid("a subquery that stands for a value needs one column")
        if kept.private or frozenset() not in kept.uniques:
            continue
        (field,) = kept.columns.values()
        same = next((column for other, column in found if other == place), None)
        column = same or Column(field.name, replace(field.facts, nullable=True))
        state.scalars[id(place)] = place, column
        if same is None:
            found.append((place, column))
            made.append(Step("", kept, "left", None))
    return made


def _places(node: exp.Select, scope: Scope) -> Iterator[exp.Subquery]:
    where = node.args.get("where")
    if where is not None:
        yield from _subqueries(where, True)
    group = node.args.get("group")
    written = [one for one in group.expressions if not isinstance(one, exp.Tuple | exp.Var)] if group is not None else []
    keys = [key_node(node, scope, one) for one in written]
    shown = [one.unalias() for one in node.expressions]
    for part in (*keys, *(one for one in shown if one in keys and not any(one is key for key in keys))):
        yield from _subqueries(part, True)
    of_rows = node.args.get("group") is None and not any(has_aggregate(e) for e in node.expressions)
    for part in (*node.expressions, node.args.get("having"), node.args.get("order")):
        if part is not None:
            yield from _subqueries(part, of_rows)


def _subqueries(part: exp.Expr, within: bool) -> Iterator[exp.Subquery]:
    """The subqueries of `part` that stand for values: all, or with `within` false those inside of aggregates."""
    if isinstance(part, exp.Subquery):
        if within and not (isinstance(part.parent, ALONE) and part.arg_key != "expressions"):
            yield part
    elif not isinstance(part, exp.Query):
        for child in part.iter_expressions():
            yield from _subqueries(child, within or is_aggregate(part))
