"""Conditions with subqueries: IN (SELECT ...) and EXISTS, of public rows or of the same unit's, as semi and anti joins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import expressions as exp

from dpsql.binding.aggregates import has_aggregate
from dpsql.binding.constants import matched
from dpsql.binding.expressions import Expressions
from dpsql.binding.from_clause import sources, steps
from dpsql.binding.joins import TRUE, Joined, Step, conjuncts, join, semi_join
from dpsql.binding.pruning import columns_of
from dpsql.binding.public_rows import is_public
from dpsql.binding.refining import learned
from dpsql.binding.scalars import scalars
from dpsql.binding.scopes import Scope
from dpsql.binding.sources import Kept
from dpsql.binding.state import Environment, Open, State
from dpsql.binding.understood import check, excerpt
from dpsql.binding.unnesting import refused_exists
from dpsql.binding.where_aliases import without_aliases
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.tree import Expression, Filter

Sides = list[tuple[Expression, Expression]]


@dataclass(frozen=True)
class Membership:
    """A condition with a subquery: `value` is what IN looks for, None for EXISTS; `node` is its place in the query."""

    query: exp.Expr
    value: exp.Expr | None
    negated: bool
    node: exp.Expr


def split(where: exp.Expr | None) -> tuple[list[exp.Expr], list[Membership]]:
    """Return the conditions of WHERE that AND joins, those with subqueries apart."""
    plain: list[exp.Expr] = []
    with_queries: list[Membership] = []
    waiting = [] if where is None else [where]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Paren):
            waiting.append(node.this)
        elif isinstance(node, exp.And):
            waiting += [node.expression, node.this]
        else:
            found = _membership(node)
            if found is None:
                plain.append(node)
            else:
                with_queries.append(found)
    return plain, with_queries


def _membership(node: exp.Expr) -> Membership | None:
    negated = False
    while isinstance(node, exp.Not | exp.Paren):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    if isinstance(node, exp.Exists):
        return Membership(_unwrapped(node.this), None, negated, node)
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        check(node)
        if isinstance(node.this, exp.Tuple) and negated:
            raise QueryRefused("NOT IN (SELECT ...) is understood of one value; use NOT EXISTS with a condition for each of several")
        return Membership(_unwrapped(node.args["query"]), node.this, negated, node)
    return None


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Subquery | exp.Paren):
        check(node)
        node = node.this
    return node


def keep(joined: Joined, found: Membership, scope: Scope, known: Environment, state: State) -> Joined:
    """Return the rows of `joined` for which a condition with a subquery holds.

    NOT IN is not true where a value outside or inside may be null, so that a null leaves every row out that it is compared with.
    """
    inner, across, sides = _bound(found, scope, known, state)
    kind: Literal["semi", "anti"] = "anti" if found.negated else "semi"

    def kept(left: Joined, *more: Expression) -> Joined:
        return semi_join(left, inner, _all_of((*across, *more)), kind, state.declaration, state.names)

    if sides is None:
        return kept(joined)
    if len(sides) > 1:  # of which only those are asked for that are in
        return kept(joined, *(call("=", a, b) for a, b in sides))
    ((a, b),) = sides
    if found.negated and (a.facts.nullable or b.facts.nullable):
        try:
            return kept(joined, call("is_not_false", call("=", a, b)))
        except QueryRefused:
            if not inner.private:
                raise
        # it is this value that joins the rows of a unit: whether there are rows beside it depends on others
        if b.facts.nullable:
            raise QueryRefused(
                "NOT IN with a column that can be null depends on all units' rows; use NOT EXISTS, or add IS NOT NULL inside"
            )
    if found.negated and found.value is not None and inner.private:
        # null is neither in the list nor not in it
        value = call("is_not_null", state.expressions(scope).bind(found.value))
        joined = replace(joined, relation=Filter(joined.relation, value))
    return kept(joined, call("=", a, b))


def _all_of(conditions: tuple[Expression, ...]) -> Expression:
    return TRUE if not conditions else conditions[0] if len(conditions) == 1 else call("and", *conditions)


def _bound(found: Membership, scope: Scope, known: Environment, state: State) -> tuple[Kept, list[Expression], Sides | None]:
    """The rows inside, the conditions that join them, and for IN the value outside and the one inside."""
    query = found.query
    if isinstance(query, exp.Select) and _simple(query, found.value is None):
        return _correlated(found, query, scope, known, state)
    if isinstance(found.node, exp.Exists) and isinstance(query, exp.Select) and (refused := refused_exists(found.node, query)) is not None:
        raise refused
    if is_public(query, known, state.declaration):
        kept = state.as_rows(lambda: state.query(query, known, state))
        if found.value is None:
            return kept, [], None
    else:
        kept = _rows_of(state.query(query, known, state))
    if found.value is None:
        raise QueryRefused("EXISTS is understood of a plain SELECT ... FROM ... WHERE, joined to the rows outside by the unit's id")
    return kept, [], _sides(found.value, [f.column for f in kept.columns.values()], state.expressions(scope))


def _sides(value: exp.Expr, inside: list[Expression], outside: Expressions) -> Sides:
    """What IN looks for beside what the subquery has, column by column."""
    values = value.expressions if isinstance(value, exp.Tuple) else [value]
    if len(inside) != len(values):
        several = f"{len(values)} values: the subquery needs as many columns"
        raise QueryInvalid("IN looks for " + ("one value: the subquery needs one column" if len(values) == 1 else several))
    return [matched(outside.bind(a), b) for a, b in zip(values, inside, strict=True)]


def _rows_of(found: Kept | Open) -> Kept:
    if isinstance(found, Kept):
        return found
    raise QueryRefused(
        f"rows cannot be chosen by a noisy outcome, in: {excerpt(found.node)}; write the values of an answer as a list after IN"
    )


def _simple(query: exp.Select, exists: bool) -> bool:
    # that there is a row, DISTINCT and LIMIT 1 do not change
    limit = query.args.get("limit")
    number = limit.expression if isinstance(limit, exp.Limit) else None
    limited = not (isinstance(number, exp.Literal) and number.is_int and int(number.name) > 0)
    parts = ["group", "having", "qualify", "windows", "offset", "with_"]
    parts += [*(() if exists else ("distinct",)), *(("limit",) if limited or not exists else ())]
    return all(query.args.get(p) is None for p in parts) and not any(has_aggregate(e) for e in query.expressions)


def _correlated(
    found: Membership, query: exp.Select, scope: Scope, known: Environment, state: State
) -> tuple[Kept, list[Expression], Sides | None]:
    check(query)
    inner = Scope(scope)
    inside = steps(sources(query, known, state), inner, state)
    if state.dialect == "duckdb":
        without_aliases(query, inner)
    if not inside:
        raise QueryRefused("a subquery after IN or EXISTS needs a FROM")
    beside = scalars(query, inner, known, state)
    plain, nested = split(query.args["where"].this if query.args.get("where") is not None else None)
    binder = state.expressions(inner)
    conditions = [c for node in plain for c in conjuncts(binder.condition(node))]
    own = {f.name for step in (*inside, *beside) for f in step.kept.relation.fields}
    inside_only = [c for c in conditions if columns_of(c) <= own]
    across = [c for c in conditions if not columns_of(c) <= own]
    if any(step.kind == "left" for step in inside) and across:
        raise QueryRefused("a left join inside of EXISTS or IN is understood without conditions on the rows outside")
    rows = _rows([*inside, *beside], inside_only, state)
    for one in nested:
        rows = keep(rows, one, inner, known, state)
    kept = Kept(rows.relation, {}, rows.private, units=rows.units)
    if found.value is None:
        return kept, across, None
    inner = _knowing(inner, inside, conditions)
    binder = state.expressions(inner)
    shown: list[Expression] = []
    for one in query.expressions:
        shown += [f.column for _, f in inner.star()] if isinstance(one, exp.Star) else [binder.bind(one)]
    return kept, across, _sides(found.value, shown, state.expressions(scope))


def _knowing(scope: Scope, inside: list[Step], conditions: list[Expression]) -> Scope:
    """The scope of rows inside of IN with what their conditions tell: that the column is not null, above all."""
    joins = [step.condition for step in inside if step.condition is not None]
    for condition in (*(joins if all(step.kind in ("first", "inner") for step in inside) else ()), *conditions):
        scope = scope.knowing(learned(condition, known=scope.known))
    return scope


def _rows(inside: list[Step], conditions: list[Expression], state: State) -> Joined:
    where = _all_of(tuple(conditions)) if conditions else None
    if any(step.kept.private for step in inside):
        return join(inside, where, state.declaration, state.names)
    joined = join(inside, None, state.declaration, state.names)
    return joined if where is None else replace(joined, relation=Filter(joined.relation, where))
