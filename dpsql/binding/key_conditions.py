"""Conditions on the keys of groups, in HAVING or around the query that groups, which are asked of the rows already.

A group that is not shown then takes no part in how often a unit counts, nor in which groups there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.group_keys import GroupKeys, key_node
from dpsql.binding.pruning import columns_of
from dpsql.binding.refining import learned
from dpsql.binding.scopes import folded
from dpsql.binding.selecting import Selecting
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.tree import Call, Case, Expression, Filter, Literal

NOTED = "conditions from around"  # in the meta of a SELECT, which copies of it have too


def note_conditions(root: exp.Query) -> None:
    """Note in each SELECT with groups the conditions around it on what it shows."""
    selects = list(root.find_all(exp.Select))
    for select in selects:
        select.meta.pop(NOTED, None)
    for select in selects:
        where = select.args.get("where")
        if where is not None:
            _lower(select, list(_conjuncts(where.this)), root)


def with_key_conditions(selecting: Selecting, found: GroupKeys) -> Selecting:
    """Return the SELECT over the rows of which the conditions on its keys hold alone.

    Only those on keys of which a unit can have several: elsewhere the others' groups change nothing, and are kept for the next question.
    """
    if found.sets is not None:
        return selecting
    having = selecting.node.args.get("having")
    written = [*(() if having is None else _conjuncts(having.this)), *selecting.node.meta.get(NOTED, ())]
    conditions = [c for node in written if (c := _of_keys(node, selecting, found.keys)) is not None]
    if not conditions:
        return selecting
    condition = conditions[0] if len(conditions) == 1 else call("and", *conditions)
    joined = replace(selecting.joined, relation=Filter(selecting.joined.relation, condition))
    return replace(selecting, joined=joined, scope=selecting.scope.knowing(learned(condition, known=selecting.scope.known)))


def _lower(select: exp.Select, conditions: Sequence[exp.Expr], root: exp.Query) -> None:
    """Note conditions that hold of what comes out of FROM in the SELECTs which they are about."""
    sources = [select.args.get("from_"), *(select.args.get("joins") or ())]
    if sources[0] is None or any(_may_pad(one) for one in sources[1:]):
        return
    for one in sources:
        inner = _selected(one.this, root)
        if inner is None or any(inner.args.get(part) for part in ("limit", "offset", "qualify", "distinct")) or _windowed(inner):
            continue
        lowered = [made for c in conditions if (made := _inside(c, _alias(one.this), len(sources) == 1, inner)) is not None]
        if inner.args.get("group") is not None:
            inner.meta[NOTED] = [*inner.meta.get(NOTED, ()), *lowered]
        elif lowered:
            _lower(inner, lowered, root)


def _may_pad(join: exp.Join) -> bool:
    return any(join.args.get(part) for part in ("side", "method")) or str(join.args.get("kind") or "").upper() not in ("", "INNER", "CROSS")


def _alias(source: exp.Expr) -> str | None:
    alias = source.args.get("alias")
    return folded(alias.this if alias is not None else source.this if isinstance(source, exp.Table) else None)


def _windowed(select: exp.Select) -> bool:
    return any(e.find(exp.Window) is not None for e in select.expressions)


def _selected(source: exp.Expr, root: exp.Query) -> exp.Select | None:
    """The SELECT that a subquery, or the name of a CTE which nothing else uses, stands for."""
    if source.args.get("joins") or (source.args.get("alias") is not None and source.args["alias"].args.get("columns")):
        return None
    found: exp.Expr | None = source.this if isinstance(source, exp.Subquery) else None
    if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier) and not source.args.get("db"):
        name = source.name.lower()
        named = [cte for cte in root.find_all(exp.CTE) if cte.alias.lower() == name]
        used = [table for table in root.find_all(exp.Table) if table.name.lower() == name]
        found = named[0].this if len(named) == len(used) == 1 and not named[0].args["alias"].args.get("columns") else None
    return found if isinstance(found, exp.Select) else None


def _inside(condition: exp.Expr, alias: str | None, alone: bool, inner: exp.Select) -> exp.Expr | None:
    """`condition` over what the columns of `inner` are, None where it is about more than these."""
    if condition.find(exp.Query, exp.Window, exp.AggFunc) is not None:
        return None
    columns = list(condition.find_all(exp.Column))
    meant = [_shown(c, inner) if (folded(c.args["table"]) == alias if c.table else alone) else None for c in columns]
    if not columns or None in meant:
        return None
    made = exp.Paren(this=condition.copy())
    for column, shown in zip(list(made.find_all(exp.Column)), meant, strict=True):
        column.replace(exp.Paren(this=shown))
    return made


def _shown(column: exp.Column, inner: exp.Select) -> exp.Expr | None:
    """A copy of what the one column of that name in `inner` is."""
    name = folded(column.this) if isinstance(column.this, exp.Identifier) else None
    if name is None:
        return None
    found = [e.unalias() for e in inner.expressions if name == folded(e.args["alias"] if isinstance(e, exp.Alias) else e.this)]
    if not found and len(inner.expressions) == 1 and isinstance(inner.expressions[0], exp.Star) and not inner.args.get("joins"):
        return exp.Column(this=column.this.copy())
    return found[0].copy() if len(found) == 1 else None


def _of_keys(node: exp.Expr, selecting: Selecting, keys: Collection[Expression]) -> Expression | None:
    """The condition where it is on values of `keys` alone, of one at least of which a unit can have several; else None."""
    try:
        named = node.copy().transform(
            lambda part: key_node(selecting.node, selecting.scope, part).copy() if isinstance(part, exp.Column) else part
        )
        condition = selecting.expressions.condition(named)
    except (QueryInvalid, QueryRefused):
        return None
    varying = columns_of(condition) - selecting.joined.determined
    return condition if varying and _made_of(condition, keys) else None


def _made_of(expression: Expression, keys: Collection[Expression]) -> bool:
    if expression in keys or isinstance(expression, Literal):
        return True
    match expression:
        case Call():
            return all(_made_of(one, keys) for one in expression.arguments)
        case Case():
            parts = [part for branch in expression.branches for part in branch]
            return all(_made_of(one, keys) for one in (*parts, expression.otherwise))
    return False


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions that AND joins."""
    if isinstance(node, exp.Paren):
        yield from _conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node
