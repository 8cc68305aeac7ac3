"""UNION, INTERSECT and EXCEPT: of rows that keep their unit, or of noisy outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sqlglot import expressions as exp

from dpsql.binding.common_tables import with_tables
from dpsql.binding.constants import MOMENTS, NULL, constant, matched
from dpsql.binding.keeping import distinct_rows
from dpsql.binding.mending import Mendable
from dpsql.binding.public_rows import distinct_public
from dpsql.binding.releasing import in_order
from dpsql.binding.sources import Kept
from dpsql.binding.state import Environment, Found, Open, State
from dpsql.binding.understood import check
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import FUNCTIONS, call, ranges
from dpsql.functions.mixing import decimal_places, is_small
from dpsql.tree import Expression, Facts, Field, Join, Project, Relation, Union


def set_operation(node: exp.SetOperation, environment: Environment, state: State) -> Found:
    """Return the outcome of a set operation; QueryRefused where it mixes rows of different units."""
    check(node)
    tables = with_tables(node, environment, state)
    sides = [state.query(side, tables.known, state) for side in _flat(node)]
    opened = [s for s in sides if isinstance(s, Open)]
    if len(opened) == len(sides):
        return _of_outcomes(node, opened, tables.stay(), state)
    kept = [s for s in sides if isinstance(s, Kept)]
    if opened:
        raise QueryRefused("a set operation between rows and aggregates cannot be answered; aggregate both sides")
    if node.args.get("limit") is not None or node.args.get("offset") is not None:
        raise QueryRefused("LIMIT of rows depends on other units' rows; aggregate first")
    if state.public_as_rows and not any(s.private for s in kept):
        return _of_public(node, kept, state)
    distinct = any(one.args.get("distinct", True) for one in _operations(node))
    shows_unit = all(any(_holds_unit(s, n) for n in range(len(s.columns))) for s in kept if s.private)
    if distinct and node is state.root and not shows_unit and all(map(_plain_rows, _flat(node))):
        reason = f"{node.key.upper()} of rows tells which values there are; group each side by them, and count how many have each"
        raise Mendable(reason, node, _of_groups, equal=True)
    if any(not isinstance(one, exp.Union) for one in _operations(node)):
        raise _compared(node, kept)
    made = union(kept, state)
    if not distinct:
        return made
    if made.relation.unit not in {f.name for f in made.columns.values()}:
        raise Mendable(
            "UNION of rows leaves out those that other units have too; use UNION ALL, or have the unit's id among the columns",
            node,
            lambda place: place.set("distinct", False),
        )
    return distinct_rows(made)


def _plain_rows(node: exp.Expr) -> bool:
    """Whether a side is a SELECT of plain rows, whose values are told apart once both sides are together."""
    parts = ("group", "having", "distinct", "limit", "offset")
    plain = isinstance(node, exp.Select) and all(node.args.get(part) is None for part in parts)
    return plain and bool(_values(node)) and not any(one.is_star for one in node.expressions)


def _values(select: exp.Expr) -> list[exp.Expr]:
    """The columns of a SELECT that are no constants."""
    return [one.unalias() for one in select.expressions if not isinstance(one.unalias(), exp.Literal)]


def _of_groups(place: exp.Expr) -> None:
    """Have each side show those of its values that some row has, once, as the whole does anyway; public ones would else all appear."""
    if isinstance(place, exp.SetOperation):
        for side in _flat(place):
            side.set("group", exp.Group(expressions=[one.copy() for one in _values(side)]))
            some = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0))
            side.set("having", exp.Having(this=some))


def _compared(node: exp.SetOperation, sides: Sequence[Kept]) -> Mendable:
    """The refusal of INTERSECT or EXCEPT of rows, which is the same as EXISTS where both sides have the unit's id in the same column."""
    reason = f"{node.key.upper()} of rows compares those of different units; use IN or EXISTS with the unit's id"
    first, *others = sides
    shared = [n for n in range(len(first.columns)) if all(n < len(s.columns) and _holds_unit(s, n) for s in sides)]
    known = all(not list(s.columns.values())[n].facts.nullable for s in sides for n in shared)  # set operations hold null equal to null
    if len(others) != 1 or len(first.columns) != len(others[0].columns) or not shared or not known or not node.args.get("distinct", True):
        return Mendable(reason)
    names = [list(side.columns) for side in sides]

    def mend(place: exp.Expr) -> None:
        kinds = [exp.EQ if n in shared else exp.NullSafeEQ for n in range(len(names[0]))]
        mine, theirs = ([exp.column(name, side, quoted=True) for name in of] for side, of in zip(("l", "r"), names, strict=True))
        same = exp.and_(*(kind(this=b, expression=a) for kind, a, b in zip(kinds, mine, theirs, strict=True)))
        left, right = (
            exp.alias_(exp.Subquery(this=place.args[side].unnest().copy()), n, table=True)
            for side, n in (("this", "l"), ("expression", "r"))
        )
        found: exp.Expr = exp.Exists(this=exp.Select(expressions=[exp.Literal.number(1)]).from_(right).where(same))
        condition = found if isinstance(place, exp.Intersect) else exp.Not(this=found)
        made = exp.Select(expressions=[one.copy() for one in mine], distinct=exp.Distinct()).from_(left).where(condition)
        for part in ("with_", "order"):
            made.set(part, place.args.get(part))
        place.replace(made)

    return Mendable(reason, node, mend, equal=True)


def _operations(node: exp.SetOperation) -> list[exp.SetOperation]:
    """The set operations of a chain of the same kind, which is deep on one side."""
    found = [node]
    while type(found[-1].this) is type(node) and _plain(found[-1].this, node):
        found.append(found[-1].this)
    return found


def _plain(inner: exp.Expr, outer: exp.SetOperation) -> bool:
    parts = ("order", "limit", "offset", "with_")
    same = inner.args.get("distinct", True) == outer.args.get("distinct", True)
    return isinstance(inner, exp.Union) and same and all(inner.args.get(p) is None for p in parts)


def _flat(node: exp.SetOperation) -> list[exp.Expr]:
    operations = _operations(node)
    return [operations[-1].this, *(one.expression for one in reversed(operations))]


def _of_outcomes(node: exp.SetOperation, sides: Sequence[Open], stay: list[exp.CTE], state: State) -> Open:
    made = node.copy()
    made.set("with_", None)
    for one, side in zip(_operations(made), reversed(sides[1:]), strict=True):
        one.set("expression", _side(side.node))
    _operations(made)[-1].set("this", _side(sides[0].node))
    order = made.args.get("order")
    if order is not None:
        made.set("order", exp.Order(expressions=[in_order(one, one.this.copy(), state.dialect) for one in order.expressions]))
    if stay:
        made.set("with_", exp.With(expressions=stay))
    return Open(made, sides[0].names)


def _side(node: exp.Query) -> exp.Expr:
    """A side of a set operation; with an order or a WITH of its own it needs brackets."""
    parts = ("order", "limit", "offset", "with_")
    return exp.Subquery(this=node) if any(node.args.get(p) is not None for p in parts) else node


def _of_public(node: exp.SetOperation, sides: Sequence[Kept], state: State) -> Kept:
    """The rows of public queries together, which no unit changes."""
    if not isinstance(node, exp.Union):
        return _public_members(node, sides, state)
    fields = _united(sides, state)
    inputs = []
    for side in sides:
        expressions = tuple(_as(c, f) for c, f in zip(side.columns.values(), fields, strict=True))
        inner = tuple(state.names.field("u", e.facts) for e in expressions)
        inputs.append(Project(side.relation, inner, expressions, None))
    made = Kept(Union(tuple(inputs), tuple(fields), None), dict(zip(sides[0].columns, fields, strict=True)), False)
    return distinct_public(made) if node.args.get("distinct", True) else made


def _public_members(node: exp.SetOperation, sides: Sequence[Kept], state: State) -> Kept:
    """INTERSECT or EXCEPT of two public queries: the rows of the first, once, that the second has, or has not."""
    if not node.args.get("distinct", True):
        raise QueryRefused(f"{node.key.upper()} ALL is not answered; {node.key.upper()} tells each row once")
    _united(sides, state)  # holds number and types of the columns
    first = distinct_public(sides[0])
    pairs = [matched(a.column, b.column) for a, b in zip(first.columns.values(), sides[1].columns.values(), strict=True)]
    same = [call("not", call("is_distinct", a, b)) for a, b in pairs]
    condition = same[0] if len(same) == 1 else call("and", *same)
    kind: Literal["semi", "anti"] = "semi" if isinstance(node, exp.Intersect) else "anti"
    return replace(first, relation=Join(first.relation, sides[1].relation, kind, condition, None))


def _united(sides: Sequence[Kept], state: State) -> list[Field]:
    """A field for each column of `sides`, which match by position."""
    first, *others = sides
    if any(len(s.columns) != len(first.columns) for s in others):
        raise QueryInvalid("both sides of UNION need the same number of columns")
    fields = []
    for name, *column in zip(first.columns, *(s.columns.values() for s in sides), strict=True):
        facts = [f.facts for f in column if not _only_null(f)] or [f.facts for f in column]
        kinds = {f.kind for f in facts}
        if len(kinds) > 1 and not all(f.is_number for f in facts):
            either = " and ".join(sorted(kinds))
            times = "; cast one of them" if kinds <= set(MOMENTS) else ""
            raise QueryInvalid(f"the column '{name}' of UNION is of types {either}{times}")
        fields.append(state.names.field(name, ranges.merged(facts, any(f.facts.nullable for f in column))))
    return fields


def union(sides: Sequence[Kept], state: State) -> Kept:
    """Return all rows of `sides`, whose columns match by position."""
    first = sides[0]
    if not all(s.private for s in sides):
        raise QueryRefused("UNION ALL of private and public rows cannot be answered; aggregate each side")
    fields = _united(sides, state)
    # where every side shows its unit in the same column, that column has it
    shared = next((n for n in range(len(fields)) if all(_holds_unit(s, n) for s in sides)), None)
    unit = fields[shared] if shared is not None else state.names.field("unit", Facts("other", True, identifies=True))
    inputs = []
    for side in sides:
        own = next(f for f in side.relation.fields if f.name == side.relation.unit)
        chosen = list(side.columns.values()) if shared is not None else [own, *side.columns.values()]
        inner = tuple(state.names.field("u", c.facts) for c in chosen)
        expressions = tuple(_as(c, f) for c, f in zip(chosen, fields if shared is not None else (unit, *fields), strict=True))
        inputs.append(Project(side.relation, inner, expressions, inner[shared or 0].name))
    relation: Relation = Union(
        tuple(inputs),
        tuple(fields) if shared is not None else (unit, *fields),
        unit.name,
        _total([s.relation.rows_a_unit for s in sides]),
        _total([s.relation.most_rows for s in sides]),
    )
    units = frozenset({unit.name})
    return Kept(relation, dict(zip(first.columns, fields, strict=True)), True, units=units, determined=units)


def _only_null(field: Field) -> bool:
    return field.facts.kind == "other" and field.facts.values in ((None,), ())  # the latter of a UNION of such columns


def _as(field: Field, among: Field) -> Expression:
    """A side's column beside those of the others: nulls that nobody gave a type have theirs, and numbers that may be large their scale."""
    facts, kind = field.facts, among.facts.kind
    if _only_null(field) and f"cast_{kind}" in FUNCTIONS:
        return call(f"cast_{kind}", NULL)
    if kind == "decimal" and among.facts.step is not None and not facts.identifies and not is_small(facts):
        return call("cast_decimal", field.column, constant(decimal_places(among.facts)))
    return field.column


def _holds_unit(side: Kept, position: int) -> bool:
    field = list(side.columns.values())[position]
    return field.name == side.relation.unit or field.name in side.units


def _total(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(c for c in counts if c is not None)
